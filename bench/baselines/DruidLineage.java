// Table lineage by Alibaba's druid, the reference of `python -m bench.review lineage --druid druid.jar FOLDER`.
// Reads statements parted by NUL from standard input; prints one line for each: OK or ERR, then, parted by
// tabs, `table=Select`, `table=Insert` … for what it does to each table.

import com.alibaba.druid.DbType;
import com.alibaba.druid.sql.SQLUtils;
import com.alibaba.druid.sql.ast.SQLStatement;
import com.alibaba.druid.sql.visitor.SchemaStatVisitor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

public class DruidLineage {
    public static void main(String[] arguments) throws Exception {
        DbType type = DbType.valueOf(arguments[0]);
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        String all = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (String sql : all.split("\u0000")) {
            out.println(line(sql, type));
        }
        out.flush();
    }

    private static String line(String sql, DbType type) {
        StringBuilder line = new StringBuilder("OK");
        try {
            for (SQLStatement statement : SQLUtils.parseStatements(sql, type)) {
                SchemaStatVisitor visitor = SQLUtils.createSchemaStatVisitor(type);
                statement.accept(visitor);
                visitor.getTables().forEach(
                    (name, does) -> line.append('\t').append(name.getName().replaceAll("\\s", " ")).append('=').append(does));
            }
            return line.toString();
        } catch (RuntimeException | StackOverflowError error) {
            return "ERR";
        }
    }
}

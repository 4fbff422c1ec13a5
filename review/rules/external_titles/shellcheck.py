"""What shellcheck's rules report: the usual ones. Others are reported with their number and page."""

from __future__ import annotations

from common.text.i18n import Text

SHELLCHECK_TITLES = {
    "SC1000": Text("$ is not followed by a name: quote or escape it", "$ 后面不是变量名，请加引号或转义"),
    "SC1003": Text("A single quote cannot be escaped within single quotes", "单引号字符串中不能转义单引号"),
    "SC1007": Text("A space after = makes the value empty", "= 后有空格，赋的是空值"),
    "SC1009": Text("The command in which a syntax error was found", "发现语法错误的命令"),
    "SC1010": Text("A keyword needs a semicolon or a new line before it", "关键字之前需要分号或换行"),
    "SC1017": Text("A carriage return at the end of a line", "行尾有回车符"),
    "SC1018": Text("A Unicode space is not a space to the shell", "shell 不把 Unicode 空格当作空格"),
    "SC1019": Text("A condition lacks an operand", "条件缺少操作数"),
    "SC1020": Text("A space is missing before the closing bracket", "右方括号之前缺少空格"),
    "SC1035": Text("A space is missing", "缺少空格"),
    "SC1036": Text("A parenthesis is invalid here", "此处的圆括号无效"),
    "SC1037": Text("Braces are needed for positional parameters above 9", "大于 9 的位置参数需要花括号"),
    "SC1039": Text("The end of a here-document is indented", "here-document 的结束标记前有缩进"),
    "SC1040": Text(
        "The end of a here-document with <<- may be indented by tabs only", "<<- 的结束标记只能用制表符缩进"
    ),
    "SC1041": Text(
        "The end of a here-document is not on a line of its own", "here-document 的结束标记没有独占一行"
    ),
    "SC1044": Text("The end of a here-document is missing", "缺少 here-document 的结束标记"),
    "SC1045": Text("& and ; follow each other", "& 与 ; 连用"),
    "SC1046": Text("An if has no fi", "if 缺少 fi"),
    "SC1047": Text("fi is missing", "缺少 fi"),
    "SC1048": Text("A then has no command", "then 之后没有命令"),
    "SC1049": Text("then is missing", "缺少 then"),
    "SC1050": Text("then is missing", "缺少 then"),
    "SC1058": Text("do is missing", "缺少 do"),
    "SC1061": Text("A do has no done", "do 缺少 done"),
    "SC1062": Text("done is missing", "缺少 done"),
    "SC1064": Text("The body of a function does not start with a brace", "函数体没有以花括号开始"),
    "SC1065": Text("A function of the shell has no list of parameters", "shell 函数没有参数列表"),
    "SC1066": Text("$ on the left of an assignment", "赋值左侧有 $"),
    "SC1068": Text("Spaces around = in an assignment", "赋值的 = 两侧有空格"),
    "SC1069": Text("A space is missing before the bracket", "方括号之前缺少空格"),
    "SC1072": Text("A syntax error ends the check of this script", "语法错误，该脚本的检查到此为止"),
    "SC1073": Text("This construct could not be parsed", "此处结构无法解析"),
    "SC1078": Text("A quoted text may lack its closing quote", "引号可能没有闭合"),
    "SC1079": Text("This quote ends a text that started earlier", "此引号结束了之前开始的文本"),
    "SC1083": Text("A brace is literal here", "此处的花括号是普通字符"),
    "SC1087": Text("Braces are needed around an array element", "数组元素需要花括号"),
    "SC1089": Text("A keyword is not expected here", "此处不应出现该关键字"),
    "SC1090": Text("A sourced file is not constant", "source 的文件名不是常量"),
    "SC1091": Text("A sourced file was not checked", "source 的文件未被检查"),
    "SC1097": Text("== is no assignment", "== 不是赋值"),
    "SC1101": Text("Spaces behind the backslash at the end of a line", "行尾反斜杠之后有空格"),
    "SC1110": Text("A typographic quote is not a quote to the shell", "shell 不把弯引号当作引号"),
    "SC1111": Text("A typographic quote is not a quote to the shell", "shell 不把弯引号当作引号"),
    "SC2001": Text("A replacement that the shell can make without sed", "可以用 shell 自身替换，不需要 sed"),
    "SC2002": Text(
        "cat with one file: the command can read the file itself", "多余的 cat：命令可以直接读取文件"
    ),
    "SC2003": Text("expr is outdated: use $((…))", "expr 已过时，请使用 $((…))"),
    "SC2004": Text("$ is not needed within arithmetic", "算术表达式中不需要 $"),
    "SC2005": Text("echo of a command's output is not needed", "多余的 echo：可以直接执行命令"),
    "SC2006": Text("Backticks: use $(…)", "使用了反引号，请改用 $(…)"),
    "SC2009": Text("ps with grep: use pgrep", "用 ps 加 grep 查找进程，请使用 pgrep"),
    "SC2010": Text("ls with grep: use a glob or a loop", "用 ls 加 grep 查找文件，请使用通配符或循环"),
    "SC2012": Text("The output of ls is parsed: use find", "解析了 ls 的输出，请使用 find"),
    "SC2013": Text(
        "for reads words, not lines: use while read", "for 按单词而不是按行读取，请使用 while read"
    ),
    "SC2015": Text("A && B || C also runs C if B fails", "A && B || C 在 B 失败时也会执行 C"),
    "SC2016": Text("Nothing is expanded within single quotes", "单引号中不会展开变量和命令"),
    "SC2018": Text("a-z in tr does not include accented letters", "tr 中的 a-z 不包含带重音的字母"),
    "SC2019": Text("A-Z in tr does not include accented letters", "tr 中的 A-Z 不包含带重音的字母"),
    "SC2020": Text("tr replaces characters, not words", "tr 替换的是字符，不是单词"),
    "SC2021": Text("Brackets in tr are literal", "tr 中的方括号是普通字符"),
    "SC2024": Text("sudo does not apply to a redirection", "sudo 对重定向不起作用"),
    "SC2028": Text(
        "echo may not expand escape sequences: use printf", "echo 可能不处理转义序列，请使用 printf"
    ),
    "SC2029": Text("A variable is expanded on this side of ssh", "变量在 ssh 的本地一侧展开"),
    "SC2030": Text("A change of a variable in a subshell is lost", "子 shell 中对变量的修改会丢失"),
    "SC2031": Text(
        "A variable was changed in a subshell, and the change is lost", "变量在子 shell 中被修改，修改已丢失"
    ),
    "SC2034": Text("A variable is not used", "变量未被使用"),
    "SC2035": Text(
        "A file name that starts with - is read as an option: use ./*",
        "以 - 开头的文件名会被当作选项，请使用 ./*",
    ),
    "SC2038": Text(
        "find with xargs breaks at spaces in names: use -print0",
        "find 与 xargs 遇到带空格的文件名会出错，请使用 -print0",
    ),
    "SC2039": Text("A feature that sh does not have", "sh 不支持该特性"),
    "SC2043": Text("A loop runs once only", "循环只执行一次"),
    "SC2044": Text(
        "for over the output of find breaks at spaces in names",
        "for 遍历 find 的输出，遇到带空格的文件名会出错",
    ),
    "SC2045": Text(
        "for over the output of ls breaks at spaces in names: use a glob",
        "for 遍历 ls 的输出，遇到带空格的文件名会出错，请使用通配符",
    ),
    "SC2046": Text(
        "The output of a command is split into words: quote it", "命令的输出会被拆分成多个单词，请加引号"
    ),
    "SC2048": Text('$* is split into words: use "$@"', '$* 会被拆分成多个单词，请使用 "$@"'),
    "SC2050": Text("A comparison of constants: perhaps $ is missing", "比较的是常量，可能缺少 $"),
    "SC2053": Text("The right side of == is a pattern: quote it", "== 右侧会被当作模式，请加引号"),
    "SC2059": Text("A variable in the format of printf", "printf 的格式串中有变量"),
    "SC2061": Text(
        "A pattern for find is expanded by the shell: quote it", "find 的模式会被 shell 展开，请加引号"
    ),
    "SC2062": Text(
        "A pattern for grep is expanded by the shell: quote it", "grep 的模式会被 shell 展开，请加引号"
    ),
    "SC2064": Text(
        "A trap in double quotes is expanded now, not when it runs",
        "trap 使用双引号时会立即展开，而不是在执行时展开",
    ),
    "SC2066": Text("A quoted list makes the loop run once", "列表加了引号，循环只执行一次"),
    "SC2068": Text("An array is split into words: quote it", "数组会被拆分成多个单词，请加引号"),
    "SC2069": Text("2>&1 stands before the redirection of standard output", "2>&1 位于标准输出重定向之前"),
    "SC2070": Text("-n with an unquoted variable is always true", "-n 后的变量没有加引号，条件恒为真"),
    "SC2071": Text("> compares texts: use -gt", "> 按文本比较，请使用 -gt"),
    "SC2076": Text("A quoted regular expression is literal", "正则表达式加了引号会按普通文本匹配"),
    "SC2077": Text("Spaces are missing around the operator of a comparison", "比较运算符两侧缺少空格"),
    "SC2078": Text("A condition is constant: perhaps $ is missing", "条件是常量，可能缺少 $"),
    "SC2086": Text(
        "A variable is split into words and expanded as a pattern: quote it",
        "变量会被拆分并按通配符展开，请加双引号",
    ),
    "SC2087": Text(
        "A here-document is expanded on this side of ssh: quote its end mark",
        "here-document 在 ssh 的本地一侧展开，请给结束标记加引号",
    ),
    "SC2088": Text("~ is not expanded within quotes", "引号中的 ~ 不会展开"),
    "SC2089": Text("Quotes in a variable are literal", "变量中的引号是普通字符"),
    "SC2090": Text("Quotes in this variable have no effect", "该变量中的引号不起作用"),
    "SC2091": Text("The output of a command is run as a command", "命令的输出被当作命令执行"),
    "SC2092": Text("The output of a command is run as a command", "命令的输出被当作命令执行"),
    "SC2094": Text("A file is read and written in one pipeline", "同一管道中同时读写一个文件"),
    "SC2095": Text("ssh in a loop reads the input of the loop", "循环中的 ssh 会读取循环的输入"),
    "SC2103": Text("cd back: use a subshell", "用 cd 返回上级目录，请使用子 shell"),
    "SC2104": Text(
        "break or continue in a function: use return", "函数中应使用 return，而不是 break 或 continue"
    ),
    "SC2112": Text("The keyword function is not standard", "关键字 function 不是标准语法"),
    "SC2115": Text(
        "rm deletes / if the variable is empty: use ${var:?}", "变量为空时 rm 会删除根目录，请使用 ${var:?}"
    ),
    "SC2116": Text("echo within $(…) is not needed", "$(…) 中的 echo 是多余的"),
    "SC2119": Text("A function that uses $1 is called without arguments", "函数使用了 $1，但调用时没有传参"),
    "SC2120": Text("A function uses arguments, but none are ever passed", "函数使用了参数，但从未传参"),
    "SC2124": Text("An array is assigned to a text", "把数组赋值给了普通变量"),
    "SC2125": Text("A pattern is not expanded in an assignment", "赋值中的通配符不会展开"),
    "SC2126": Text("grep with wc: use grep -c", "grep 加 wc，请使用 grep -c"),
    "SC2128": Text("An array without an index is its first element", "数组不带下标时只取第一个元素"),
    "SC2129": Text(
        "Several redirections to one file: group the commands", "多次重定向到同一文件，请合并命令"
    ),
    "SC2139": Text("An alias is expanded when it is defined", "别名在定义时就会展开"),
    "SC2140": Text("A text is quoted and unquoted alternately", "文本交替加引号与不加引号"),
    "SC2142": Text("An alias has no arguments: use a function", "别名不能使用参数，请使用函数"),
    "SC2143": Text("The output of grep is compared: use grep -q", "比较了 grep 的输出，请使用 grep -q"),
    "SC2145": Text("An array in the middle of a text", "数组与文本连在一起"),
    "SC2148": Text("The shell is not named in the first line", "首行没有指定 shell"),
    "SC2152": Text("return takes a number from 0 to 255", "return 只接受 0 到 255 的数字"),
    "SC2153": Text("A name that differs little from an assigned one", "变量名与已赋值的变量相近，可能写错"),
    "SC2154": Text("A variable is never assigned", "变量从未赋值"),
    "SC2155": Text(
        "Declaration and assignment in one command hide the exit status", "声明与赋值合并会掩盖命令的退出状态"
    ),
    "SC2157": Text("A condition is constant", "条件恒定不变"),
    "SC2162": Text("read without -r changes backslashes", "read 没有 -r，会处理反斜杠"),
    "SC2163": Text("export of a variable's value, not of the variable", "export 的是变量的值，而不是变量"),
    "SC2164": Text(
        "cd may fail, and the script goes on in the wrong folder: use cd … || exit",
        "cd 可能失败，之后会在错误的目录中执行，请使用 cd … || exit",
    ),
    "SC2165": Text("A nested loop uses the variable of the outer loop", "嵌套循环使用了外层的循环变量"),
    "SC2166": Text("-a and -o are not well defined: use && and ||", "-a 与 -o 含义不明确，请使用 && 与 ||"),
    "SC2167": Text("The variable of this loop is overwritten in a nested loop", "循环变量在嵌套循环中被覆盖"),
    "SC2168": Text("local outside a function", "local 不在函数中"),
    "SC2170": Text("A number is expected in this comparison", "此比较需要数字"),
    "SC2172": Text("A signal should be named, not numbered", "信号应使用名称而不是编号"),
    "SC2173": Text("This signal cannot be trapped", "该信号不能被捕获"),
    "SC2174": Text(
        "mkdir -p -m sets the mode of the last folder only", "mkdir -p -m 只设置最后一级目录的权限"
    ),
    "SC2178": Text("A text is assigned to an array", "把文本赋值给了数组"),
    "SC2181": Text("$? is compared: test the command itself", "比较了 $?，请直接判断命令"),
    "SC2183": Text(
        "printf has another number of placeholders than of arguments", "printf 的占位符与参数个数不一致"
    ),
    "SC2188": Text("A redirection without a command", "只有重定向，没有命令"),
    "SC2193": Text("A comparison can never be true", "比较永远不成立"),
    "SC2195": Text("A pattern can never match", "模式永远不会匹配"),
    "SC2196": Text("egrep is outdated: use grep -E", "egrep 已过时，请使用 grep -E"),
    "SC2197": Text("fgrep is outdated: use grep -F", "fgrep 已过时，请使用 grep -F"),
    "SC2199": Text("An array in a condition is joined: use a loop", "条件中的数组会被拼接，请使用循环"),
    "SC2206": Text("A variable is split into array elements: quote it", "变量会被拆分为数组元素，请加引号"),
    "SC2207": Text(
        "The output of a command is split into array elements: use mapfile",
        "命令的输出会被拆分为数组元素，请使用 mapfile",
    ),
    "SC2210": Text(
        "A file whose name is a number: perhaps a comparison is meant",
        "重定向到以数字命名的文件，可能本意是比较",
    ),
    "SC2216": Text("This command does not read its input", "该命令不读取输入"),
    "SC2217": Text("This command does not read its input", "该命令不读取输入"),
    "SC2219": Text("let: use ((…))", "使用了 let，请改用 ((…))"),
    "SC2221": Text("A pattern hides a later one", "该模式使后面的模式不可达"),
    "SC2222": Text("A pattern never matches because of an earlier one", "该模式因前面的模式而永远不会匹配"),
    "SC2223": Text("A default value is split into words: quote it", "默认值会被拆分成多个单词，请加引号"),
    "SC2229": Text("read needs the name of a variable, without $", "read 需要变量名，不带 $"),
    "SC2230": Text("which is not standard: use command -v", "which 不是标准命令，请使用 command -v"),
    "SC2231": Text(
        "A variable in a pattern of for is split: quote it", "for 的通配符中的变量会被拆分，请加引号"
    ),
    "SC2235": Text("A subshell is not needed: use braces", "不需要子 shell，请使用花括号"),
    "SC2236": Text("! -z is -n", "! -z 等同于 -n"),
    "SC2237": Text("! with -n is -z", "! 与 -n 等同于 -z"),
    "SC2242": Text("exit takes a number from 0 to 255", "exit 只接受 0 到 255 的数字"),
    "SC2248": Text("A variable without quotes", "变量没有加引号"),
    "SC2250": Text("A variable without braces", "变量没有加花括号"),
    "SC2260": Text("A redirection takes the output away from the pipe", "重定向取走了管道的输出"),
    "SC2261": Text("Several redirections compete for one stream", "同一输出有多个重定向"),
    "SC2268": Text("x before a compared value is not needed", "比较中的前缀 x 是多余的"),
    "SC2269": Text("A variable is assigned to itself", "变量赋值给了自身"),
    "SC2281": Text("$ on the left of an assignment", "赋值左侧有 $"),
    "SC2283": Text("Spaces around = in an assignment", "赋值的 = 两侧有空格"),
    "SC2284": Text("== is no assignment", "== 不是赋值"),
    "SC2294": Text("eval of an array joins its elements", "eval 会拼接数组元素"),
    "SC2295": Text("A variable in ${…#…} is a pattern: quote it", "${…#…} 中的变量会被当作模式，请加引号"),
    "SC2312": Text("The exit status of a command within $(…) is lost", "$(…) 中命令的退出状态会丢失"),
    "SC2317": Text("A command is never reached", "命令不可达"),
    "SC2318": Text("A variable is used in the declaration that assigns it", "变量在赋值它的同一声明中被使用"),
    "SC2320": Text("$? is the exit status of echo or printf", "$? 是 echo 或 printf 的退出状态"),
    "SC2327": Text("The output is redirected, so nothing is assigned", "输出已被重定向，赋值为空"),
    "SC2328": Text("A redirection takes the output away from the assignment", "重定向取走了要赋值的输出"),
    "SC2329": Text("A function is never called", "函数从未被调用"),
}
"""Titles by rule."""

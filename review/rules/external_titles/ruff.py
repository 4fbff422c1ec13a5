"""What ruff's rules report: those that dwgate enables."""

from __future__ import annotations

from common.text.i18n import Text

RUFF_TITLES = {
    "B002": Text("++ does nothing: Python has no increment operator", "++ 不起作用：Python 没有自增运算符"),
    "B003": Text(
        "Assigning to os.environ does not clear the environment", "给 os.environ 赋值不会清空环境变量"
    ),
    "B004": Text(
        "hasattr with __call__ does not tell reliably whether an object is callable: use callable",
        "用 hasattr 检查 __call__ 不能可靠判断对象是否可调用，请使用 callable",
    ),
    "B005": Text(
        "strip with several characters removes any of them, not the text",
        "strip 传入多个字符时会去除其中任意字符，而不是整段文本",
    ),
    "B006": Text(
        "The default of an argument is mutable and shared by all calls",
        "参数的默认值是可变对象，会被所有调用共享",
    ),
    "B008": Text(
        "A function is called in the default of an argument: once, when it is defined",
        "参数的默认值中调用了函数，它只在定义时执行一次",
    ),
    "B012": Text(
        "return, break or continue in finally discards the exception",
        "finally 中的 return、break 或 continue 会丢弃异常",
    ),
    "B013": Text("An exception handler has a tuple with one exception", "异常处理中的元组只有一个异常"),
    "B014": Text("An exception handler names an exception twice", "同一个异常处理重复列出了异常"),
    "B015": Text("The result of a comparison is not used", "比较的结果未被使用"),
    "B016": Text("A literal is raised, not an exception", "raise 的是字面量，不是异常"),
    "B017": Text("A test expects any exception", "测试接受任意异常"),
    "B018": Text("The value of an expression is not used", "表达式的值未被使用"),
    "B019": Text("A cache on a method keeps its objects in memory", "方法上的缓存会使对象一直留在内存中"),
    "B020": Text("A loop variable has the name of what the loop iterates over", "循环变量与被遍历的对象同名"),
    "B021": Text("An f-string is not a docstring", "f-string 不能作为文档字符串"),
    "B022": Text(
        "contextlib.suppress without an exception does nothing", "contextlib.suppress 没有列出异常，不起作用"
    ),
    "B023": Text(
        "A function uses the loop variable, which has its last value when the function is called",
        "函数使用了循环变量，调用时取到的是它最后的值",
    ),
    "B024": Text("An abstract class has no abstract method", "抽象类没有抽象方法"),
    "B025": Text("A try statement handles an exception twice", "同一个 try 语句重复处理了异常"),
    "B026": Text("A starred argument follows a keyword argument", "带星号的参数位于关键字参数之后"),
    "B027": Text(
        "An empty method of an abstract class is not abstract", "抽象类中的空方法没有声明为抽象方法"
    ),
    "B029": Text("except with an empty tuple handles nothing", "except 后为空元组，不会处理任何异常"),
    "B030": Text("except names something that is not an exception", "except 后不是异常类型"),
    "B031": Text(
        "A group of itertools.groupby is used twice; the second time it is empty",
        "itertools.groupby 的分组被使用了两次，第二次为空",
    ),
    "B032": Text("An annotation without a value: perhaps = was meant", "只有类型注解而没有赋值，可能应写 ="),
    "B033": Text("A set contains a value twice", "集合中有重复的值"),
    "B034": Text(
        "Optional arguments of re functions should be keywords", "re 函数的可选参数应使用关键字传入"
    ),
    "B035": Text("A dict comprehension has a constant key", "字典推导式的键是常量"),
    "B039": Text("The default of a ContextVar is mutable", "ContextVar 的默认值是可变对象"),
    "B911": Text("itertools.batched without strict", "itertools.batched 没有指定 strict"),
    "B912": Text("map over several iterables without strict", "map 遍历多个对象时没有指定 strict"),
    "E902": Text("The file cannot be read", "文件无法读取"),
    "F401": Text("An import is not used", "导入的内容未被使用"),
    "F402": Text("A loop variable hides an import", "循环变量覆盖了导入的名称"),
    "F403": Text(
        "A star import: names that are not defined cannot be detected",
        "使用了 import *，无法发现未定义的名称",
    ),
    "F404": Text("An import from __future__ is not at the beginning", "__future__ 导入不在文件开头"),
    "F406": Text("A star import is allowed only at the top level of a module", "import * 只能出现在模块顶层"),
    "F407": Text("An import from __future__ names an unknown feature", "从 __future__ 导入了不存在的特性"),
    "F501": Text("A % format is invalid", "% 格式串无效"),
    "F502": Text("A % format needs a mapping", "% 格式串需要字典"),
    "F503": Text("A % format needs a sequence, not a mapping", "% 格式串需要序列，而不是字典"),
    "F504": Text("A named argument of a % format is not used", "% 格式串的具名参数未被使用"),
    "F505": Text("A % format lacks an argument", "% 格式串缺少参数"),
    "F506": Text("A % format mixes positional and named placeholders", "% 格式串混用了位置和具名占位符"),
    "F507": Text(
        "A % format has another number of placeholders than of arguments", "% 格式串的占位符与参数个数不一致"
    ),
    "F508": Text("* in a % format needs a sequence", "% 格式串中的 * 需要序列"),
    "F509": Text("A % format has an unknown conversion", "% 格式串中有不支持的格式字符"),
    "F521": Text("The format string of str.format is invalid", "str.format 的格式串无效"),
    "F522": Text("A named argument of str.format is not used", "str.format 的具名参数未被使用"),
    "F523": Text("A positional argument of str.format is not used", "str.format 的位置参数未被使用"),
    "F524": Text("str.format lacks an argument", "str.format 缺少参数"),
    "F525": Text("str.format mixes automatic and manual numbering", "str.format 混用了自动和手动编号"),
    "F541": Text("An f-string has no placeholder", "f-string 中没有占位符"),
    "F601": Text("A dict contains a key twice; the last value counts", "字典中有重复的键，以最后一个为准"),
    "F602": Text("A dict contains a variable as key twice", "字典中同一个变量作为键出现了两次"),
    "F621": Text("Too many targets in an assignment with a star", "带星号的赋值目标过多"),
    "F622": Text("An assignment has two targets with a star", "赋值中有两个带星号的目标"),
    "F631": Text("assert with a tuple is always true", "assert 后为元组，条件恒为真"),
    "F632": Text("is compares a literal by identity: use ==", "用 is 比较字面量，请使用 =="),
    "F633": Text(">> is not valid with the function print", "print 函数不支持 >>"),
    "F634": Text("if with a tuple is always true", "if 后为元组，条件恒为真"),
    "F701": Text("break outside a loop", "break 不在循环中"),
    "F702": Text("continue outside a loop", "continue 不在循环中"),
    "F704": Text("yield or await outside a function", "yield 或 await 不在函数中"),
    "F706": Text("return outside a function", "return 不在函数中"),
    "F707": Text("except without an exception is not the last handler", "不带异常类型的 except 不在最后"),
    "F722": Text("An annotation has a syntax error", "类型注解有语法错误"),
    "F811": Text(
        "A definition replaces an earlier one that was not used", "定义覆盖了之前未被使用的同名定义"
    ),
    "F821": Text("A name is not defined", "使用了未定义的名称"),
    "F822": Text("__all__ contains a name that is not defined", "__all__ 中有未定义的名称"),
    "F823": Text("A local variable is used before its assignment", "局部变量在赋值之前被使用"),
    "F841": Text("A local variable is not used", "局部变量未被使用"),
    "F842": Text("A local variable is annotated and not used", "局部变量只有注解，未被使用"),
    "F901": Text(
        "NotImplemented is raised: NotImplementedError is meant",
        "raise 的是 NotImplemented，应为 NotImplementedError",
    ),
    "PD007": Text(
        ".ix was removed from pandas: use .loc or .iloc", "pandas 已移除 .ix，请使用 .loc 或 .iloc"
    ),
    "PD008": Text(".at of pandas: use .loc", "使用了 pandas 的 .at，请使用 .loc"),
    "PD009": Text(".iat of pandas: use .iloc", "使用了 pandas 的 .iat，请使用 .iloc"),
    "S102": Text("exec runs text as code", "exec 会把文本作为代码执行"),
    "S105": Text("A text looks like a password", "文本疑似密码"),
    "S106": Text("An argument looks like a password", "参数疑似密码"),
    "S107": Text("The default of an argument looks like a password", "参数默认值疑似密码"),
    "S110": Text("An exception is ignored: at least log it", "异常被忽略，至少应记录日志"),
    "S112": Text("A loop ignores an exception: at least log it", "循环中的异常被忽略，至少应记录日志"),
    "S113": Text("An HTTP request has no timeout", "HTTP 请求没有设置超时"),
    "S301": Text("pickle executes code of the data that it loads", "pickle 会执行被加载数据中的代码"),
    "S302": Text("marshal is not safe for data from others", "marshal 不适合加载来自他人的数据"),
    "S306": Text("mktemp is insecure: use mkstemp", "mktemp 不安全，请使用 mkstemp"),
    "S307": Text(
        "eval runs text as code: use ast.literal_eval", "eval 会把文本作为代码执行，请使用 ast.literal_eval"
    ),
    "S323": Text("A TLS context does not verify certificates", "TLS 上下文不验证证书"),
    "S501": Text("A request does not verify the certificate", "请求不验证证书"),
    "S506": Text(
        "yaml.load can create any object: use yaml.safe_load",
        "yaml.load 可以创建任意对象，请使用 yaml.safe_load",
    ),
    "S602": Text("subprocess starts a shell", "subprocess 启动了 shell"),
    "S604": Text("A call with shell=True starts a shell", "shell=True 的调用启动了 shell"),
    "S605": Text("A process is started through a shell", "通过 shell 启动了进程"),
    "S609": Text(
        "A wildcard in a command of a shell can be read as an option", "shell 命令中的通配符可能被当作选项"
    ),
    "S701": Text("Jinja2 without autoescape", "Jinja2 未启用 autoescape"),
}
"""Titles by rule. Names of rules: `ruff rule --all`."""

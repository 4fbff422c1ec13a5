"""The node types of DataWorks: the numbers of each name that policies may use.

Sources: the enumeration CodeProgramType of the public dataworks-spec (September 2024); for types of the new
Data Studio and of Serverless Spark, which it does not have, a public catalogue of node types of 2026; for
`notebook` the help pages of nodes. Policies may also use numbers that are not listed here: tenants have newer
ones (`ListFileType`).
"""

from __future__ import annotations

from types import MappingProxyType

_ALL = """
shell=2/6 dide_shell=6 check=19 perl=31 virtual_workflow=97 combined_node=98 virtual=99 oss_inspect=239
cross_tenants=1089 controller_assignment=1100 controller_branch=1101 controller_join=1102
controller_cycle=1103 controller_cycle_start=1104 controller_cycle_end=1105 controller_traverse=1106
controller_traverse_start=1107 controller_traverse_end=1108 controller_wait=1109 scheduler_trigger=1114
param_hub=1115 ftp_check=1320 ssh=1321 python=1322 data_push=1332 data_quality_monitor=1333 hive=3
odps_xlib=8 odps_pl=9 odps_sql=10 odps_mr=11 odps_python=12 odps_jar=13 odps_archive=14 odps_file=15
odps_table=16 odps_function=17 odps_ddl=18 odps_sql_script=24 extreme_storage=30 ysf_desen=82 py_odps=221
odps_shark=223 odps_spark=225 odps_spark_sql=226 dataservice_studio=238 component_sql=1010 pyodps3=1221
sql_component=3010 datax=4 datax2=20 dt=21 cdp=22 di=23 tt_merge=200 dd_merge=222 ri=900 emr_hive=227
emr_spark=228 emr_spark_sql=229 emr_mr=230 emr_jar=231 emr_file=232 emr_shell=257 emr_spark_shell=258
emr_presto=259 emr_impala=260 emr_table=261 emr_function=262 emr_scoop=263 emr_spark_streaming=264
emr_hive_cli=265 emr_streaming_sql=266 emr_trino=267 emr_kyuubi=268 cdh_hive=270 cdh_spark=271
cdh_spark_sql=272 cdh_mr=273 cdh_jar=274 cdh_file=275 cdh_shell=276 cdh_spark_shell=277 cdh_presto=278
cdh_impala=279 cdh_table=280 cdh_function=281 xlab=87 alink=240 pai=1002 recommend_plus=1116 pai_studio=1117
pai_dlc=1119 hologres_develop=1091/1092 hologres_sql=1093 hologres_sync_ddl=1094 hologres_sync_data=1095
blink_stream_sql=2010 flink_sql_batch=2011 flink_sql_stream=2012 blink_datastream=2019 blink_batch_sql=2020
click_sql=1301 postgresql=1302 mysql=1303 sql_server=1304 oracle=1305 starrocks=1306 drds=1307 doris=1308
mariadb=1309 selectdb=1310 redshift=1311 saphana=1312 vertica=1313 oceanbase=1314 db2=1315
adb_for_postgresql=1316 adb_for_mysql=1317 custom=9999 lightning_sql=61 check_node=241 workflow=1001
hologres_sync_data_to_mc=1070 sub_process=1122 pai_flow=1250 notebook=1323 adb_spark=1990 adb_spark_sql=1991
serverless_spark_batch=2100 serverless_spark_sql=2101 serverless_spark_streaming=2102 serverless_kyuubi=2103
"""

NUMBERS_BY_NAME = MappingProxyType(
    {
        name: frozenset(map(int, numbers.split("/")))
        for name, _, numbers in (item.partition("=") for item in _ALL.split())
    }
)
"""The numbers of each name; versions of a node type may share one name (`hologres_develop`)."""

_NAMES_BY_NUMBER = MappingProxyType(
    {number: name for name, numbers in NUMBERS_BY_NAME.items() for number in numbers}
)


def name_of_type(number: int) -> str:
    """Return the name of a node type; its number as text if it has none here."""
    return _NAMES_BY_NUMBER.get(number, str(number))

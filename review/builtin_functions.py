"""Names of built-in functions of engines; any other name may be a user-defined function.

Source: help page "Built-in functions" of MaxCompute; the Hive language manual "UDFs"; Spark's built-in list.
"""

from __future__ import annotations

MAX_PT = "max_pt"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUN_TIME = _names("""
    getdate now current_date current_timestamp current_time current_timestamp_micro localtime
    localtimestamp current_datetime sysdate sysdatetime systimestamp curdate curtime utc_timestamp
    utc_date utc_time today yesterday now64 clock_timestamp statement_timestamp transaction_timestamp
    timeofday getutcdate rand random randn randc uuid generateuuidv4 gen_random_uuid newid unique_id
    monotonically_increasing_id shuffle input_file_name current_user current_database session_user
    last_insert_id connection_id
""")
"""Functions whose value depends on when or where they run."""

RUN_TIME_WITHOUT_ARGUMENTS = _names("unix_timestamp to_unix_timestamp")
"""Functions whose value depends on when they run only if called without arguments."""

AGGREGATES = _names("""
    count sum avg min max median stddev stddev_samp stddev_pop var_samp var_pop variance wm_concat
    collect_list collect_set group_concat string_agg listagg array_agg any_value arg_max arg_min max_by
    min_by approx_distinct approx_count_distinct percentile percentile_approx percentile_cont
    percentile_disc numeric_histogram histogram_numeric histogram bitwise_and_agg bitwise_or_agg
    bitwise_xor_agg map_agg multimap_agg map_union map_union_sum corr covar_pop covar_samp count_if
    bool_and bool_or every some regr_slope regr_intercept bitmap_union bitmap_union_count hll_union ndv
    uniq uniqexact quantile grouparray groupuniqarray argmax argmin anylast
""")
"""Functions that compute one value from many rows."""

_DATES = _names("""
    dateadd datediff datepart datetrunc date_add date_sub date_diff date_format date_trunc from_unixtime
    from_utc_timestamp to_utc_timestamp isdate lastday last_day next_day add_months months_between to_char
    to_date to_datetime to_timestamp to_millis year quarter month day dayofmonth dayofweek dayofyear hour
    minute second weekday weekofyear week extract timestamp date datetime time trunc trunc_time make_date
    date_part timestampadd timestampdiff addtime subdate adddate str_to_date makedate period_add unix_date
    unix_micros unix_millis unix_seconds timestamp_micros timestamp_millis timestamp_seconds
""")
_NUMBERS = _names("""
    abs acos acosh asin asinh atan atan2 atanh bin bround cbrt ceil ceiling conv cos cosh cot degrees e
    exp factorial floor format_number greatest hex isnan least ln log log10 log2 log1p mod negative pi
    positive pow power pmod radians round shiftleft shiftright shiftrightunsigned sign signum sin sinh
    sqrt tan tanh unhex width_bucket expm1 hypot rint bit_count truncate format div bit_and bit_or bit_xor
""")
_STRINGS = _names("""
    ascii base64 unbase64 chr char_matchcount concat concat_ws encode decode find_in_set format_string
    get_json_object initcap instr is_encoding json_tuple keyvalue keyvalue_tuple length lengthb locate
    lower lcase lpad ltrim mask_hash md5 parse_url parse_url_tuple quote regexp_count regexp_extract
    regexp_extract_all regexp_instr regexp_replace regexp_substr regexp_like regexp repeat replace reverse
    rpad rtrim soundex space split split_part strpos substr substring substring_index tolower toupper
    tochar translate trim upper ucase url_decode url_encode char_length character_length octet_length
    bit_length left right overlay position levenshtein sentences ngrams context_ngrams chinese_to_pinyin
    crc32 sha sha1 sha2 hash aes_encrypt aes_decrypt sym_encrypt sym_decrypt java_method reflect elt field
    str_to_map startswith endswith contains ip2region ip_to_region st_contains st_distance compress
    decompress
""")
_COLLECTIONS = _names("""
    all_match any_match array array_concat array_contains array_distinct array_except array_intersect
    array_join array_max array_min array_normalize array_position array_reduce array_remove array_repeat
    array_sort array_union arrays_overlap arrays_zip cardinality combinations element_at explode
    explode_outer posexplode posexplode_outer filter flatten index inline inline_outer stack map
    map_concat map_entries map_filter map_from_arrays map_from_entries map_keys map_values map_zip_with
    named_struct reduce sequence size slice sort_array sort_map struct transform transform_keys
    transform_values zip_with multimap_from_entries exists forall aggregate array_append array_prepend
    array_insert array_compact array_size generate_series unnest from_json to_json to_jsonb json_array
    json_object json_extract json_exists json_pretty json_type json_format json_parse json_valid
    json_explode json_unquote json_length json_keys json_contains bitmap_count bitmap_contains to_bitmap
""")
_OTHERS = _names("""
    coalesce nvl nvl2 nullif ifnull if iff case isnull isnotnull cast try_cast convert binary bigint
    string double float int smallint tinyint decimal boolean ordinal table_exists partition_exists
    partition_field sample sessionize cluster_sample trans_array trans_cols get_idcard_age
    get_idcard_birthday get_idcard_sex get_user_id typeof get_data_from_index assert_true raise_error
    humanize_size row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value
    nth_value grouping grouping_id grouping__id cube rollup
""")

BUILT_IN = (
    RUN_TIME
    | RUN_TIME_WITHOUT_ARGUMENTS
    | AGGREGATES
    | {MAX_PT}
    | _DATES
    | _NUMBERS
    | _STRINGS
    | _COLLECTIONS
    | _OTHERS
)
"""All built-in names, in lower case."""

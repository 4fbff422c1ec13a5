SELECT arrayMap(x -> x + 1, [1, 2]) FROM t FINAL PREWHERE ds = today() SETTINGS max_threads = 1 FORMAT JSON;
ALTER TABLE t DELETE WHERE 1;

WITH x AS (SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY a ORDER BY b DESC) rn FROM p.t) q WHERE rn = 1)
SELECT x.id, y.`a b`, "z" FROM x, y LATERAL VIEW explode(split(c, ',')) e AS part
UNION ALL SELECT id, NULL, concat_ws('\'', "\"", 'é中文') FROM x WHERE EXISTS (SELECT 1 FROM z WHERE z.id = x.id)

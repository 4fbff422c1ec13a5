CREATE FUNCTION f() RETURNS int AS $body$ BEGIN RETURN 1; END $body$ LANGUAGE plpgsql;
CALL set_table_property('t', 'orientation', 'column');
INSERT INTO t VALUES (E'a\'b', U&'\0041') ON CONFLICT (id) DO UPDATE SET a = excluded.a;

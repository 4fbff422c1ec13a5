create or replace package body p as
  procedure q is begin for r in (select 1 from dual) loop null; end loop; end q;
end p;
/
select q'[a;b]' from dual;
/

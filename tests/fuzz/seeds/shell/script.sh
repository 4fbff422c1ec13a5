#!/bin/bash
set -e; trap 'echo "$?"' ERR EXIT
odpscmd -e "delete from t where ds='${bizdate}'; select 1" || exit 1
hive <<EOS | mysql -psecret -e 'truncate table u'
  insert overwrite table a select * from b where x = "$(date +%Y%m%d)"
EOS
for f in $(ls *.csv); do rm -rf "$DIR"/${f%%.*}; done  # shellcheck disable=SC2086
curl -u user:made-up http://host/`cat x` > /dev/null 2>&1

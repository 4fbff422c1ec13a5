-- owner: a team
SET odps.sql.allow.fullscan=true;
INSERT OVERWRITE TABLE dws_order_1d PARTITION (ds = '${bizdate}')
SELECT a.id, count(DISTINCT b.user_id) AS users, max(CASE WHEN b.state = 1 THEN b.at END) /* last; */
FROM ods_order a LEFT OUTER JOIN dim_user b ON a.user_id = b.user_id AND b.ds = '$[yyyymmdd-1]'
WHERE a.ds = '${bizdate}' AND a.note NOT LIKE '%;%' GROUP BY a.id HAVING users > 0 ORDER BY a.id LIMIT 10;

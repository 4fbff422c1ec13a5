INSERT OVERWRITE TABLE ads_order_1d PARTITION (ds = '${bizdate}')
SELECT order_id FROM dev_order WHERE ds = '${bizdate}';

{{/*
The components that are enabled: what each runs, reads and reaches. The groups are those of docker-compose.yml.

values:      its key in the values
args:        what `dwgate` is started with; or command, without dwgate
port:        name and number of its port, and the paths of its probes
scraped:     whether the port serves metrics
settings:    groups of settings that it reads, from dwgate.settings
secrets:     keys of its Secret
egress:      routes of the values, beside DNS and traces
stateFolder: whether it writes to /var/lib/dwgate
drain:       seconds that it goes on after it has left the Service
many:        whether it has more than one replica
*/}}
{{- define "dwgate.components" -}}
{{- $optional := .Values.optionalSecrets -}}
{{- $link := ternary (list "dwgate_link_key") (list) $optional.linkKey -}}
{{- $targets := ternary (list "dwgate_notification_targets") (list) $optional.notificationTargets -}}
{{- $fromQueue := eq .Values.ingest.source "amqp" -}}
{{- $issuer := .Values.settings.DWGATE_CONSOLE_OIDC_ISSUER -}}
ingest:
  values: ingest
  args: {{ concat (list "ingest") (ternary (list "--source" "amqp") (list) $fromQueue) (list "--host" "0.0.0.0" "--port" "8080") | toJson }}
  port: {name: http, number: 8080, live: /healthz, ready: /readyz}
  scraped: true
  settings: {{ concat (list "engines" "events" "ingest") (ternary (list "source") (list) $fromQueue) | toJson }}
  secrets: [dwgate_broker_url, dwgate_redis_url, {{ ternary "dwgate_source_url" "dwgate_eventbridge_tokens" $fromQueue }}]
  egress: [rabbitmq, redis, {{ ternary "source" "internet" $fromQueue }}]
  drain: 5
  many: true
{{/* It parses node code: no key to the OpenAPI, no route but to the engines. */}}
worker-checks:
  values: workerChecks
  args: [worker, --role=checks-cpu, {{ printf "--processes=%v" .Values.workerChecks.processes }}, --metrics-host=0.0.0.0, --metrics-port=9100]
  port: {name: metrics, number: 9100, live: /healthz, ready: /readyz}
  scraped: true
  settings: [engines, events, checks]
  secrets: [dwgate_broker_url, dwgate_redis_url, dwgate_fingerprint_key]
  egress: [rabbitmq, redis]
  many: true
worker-io:
  values: workerIo
  args: [worker, --role=intake, --role=checks-io, --role=reporter, --metrics-host=0.0.0.0, --metrics-port=9100]
  port: {name: metrics, number: 9100, live: /healthz, ready: /readyz}
  scraped: true
  settings: [engines, events, checks, openapi, credentials]
  secrets: {{ concat (list "dwgate_broker_url" "dwgate_redis_url" "dwgate_fingerprint_key" "alibaba_credentials") $link | toJson }}
  egress: [rabbitmq, redis, internet]
  many: true
watchdog:
  values: watchdog
  args: [worker, --role=watchdog, --metrics-host=0.0.0.0, --metrics-port=9100]
  port: {name: metrics, number: 9100, live: /healthz, ready: /readyz}
  scraped: true
  settings: [engines, events, checks, openapi, credentials]
  secrets: {{ concat (list "dwgate_broker_url" "dwgate_redis_url" "dwgate_fingerprint_key" "alibaba_credentials") $link $targets | toJson }}
  egress: [rabbitmq, redis, internet]
  many: true
{{- if .Values.console.enabled }}
console:
  values: console
  args: [console, --host, 0.0.0.0, --port, "8081"]
  port: {name: http, number: 8081, live: /healthz, ready: /readyz}
  settings: [engines, events, checks, openapi, console]
  secrets: {{ concat (list "console_users" "dwgate_broker_url" "dwgate_redis_url") (ternary (list "dwgate_console_oidc_client_secret") (list) (not (empty $issuer))) (ternary (list "dwgate_console_key") (list) $optional.consoleKey) $link | toJson }}
  egress: {{ concat (list "rabbitmq" "redis") (ternary (list "internet") (list) (not (empty $issuer))) | toJson }}
  drain: 5
  many: true
{{- end }}
{{- if .Values.flower.enabled }}
flower:
  values: flower
  args: [flower, --host, 0.0.0.0, --port, "5555"]
  port: {name: http, number: 5555, live: /healthcheck, ready: /healthcheck}
  settings: [engines, flower]
  secrets: {{ concat (list "dwgate_broker_url" "dwgate_flower_users") (ternary (list "dwgate_flower_broker_api") (list) $optional.flowerBrokerApi) | toJson }}
  egress: [rabbitmq, rabbitmqApi]
  stateFolder: true
{{- end }}
{{- if .Values.operator.enabled }}
operator:
  values: operator
  command: [sleep, infinity]
  settings: [engines, events, checks, openapi, credentials]
  secrets: {{ concat (list "dwgate_broker_url" "dwgate_redis_url" "dwgate_fingerprint_key" "alibaba_credentials") $link $targets | toJson }}
  egress: [rabbitmq, redis, internet]
{{- end }}
{{- end }}

{{/* The settings of each group; those with a value are set by this chart, the others are taken from the values. */}}
{{- define "dwgate.settings" -}}
{{- $tls := .Values.engineTls -}}
{{- $hasConfig := or .Values.config.configMap .Values.config.files -}}
engines:
  DWGATE_EXTENSION_CODE:
  DWGATE_NAMESPACE:
  DWGATE_LOG_LEVEL:
  {{- if $tls.secret }}
  DWGATE_TLS_CA_FILE: /run/tls/ca.crt
  {{- if $tls.clientCertificate }}
  DWGATE_TLS_CERT_FILE: /run/tls/tls.crt
  DWGATE_TLS_KEY_FILE: /run/tls/tls.key
  {{- end }}
  {{- end }}
events:
  DWGATE_REGION:
  DWGATE_EVENT_DAYS:
  DWGATE_CODE_HOURS:
  DWGATE_TRACE_RATIO:
  OTEL_EXPORTER_OTLP_ENDPOINT:
  DWGATE_BROKER_TOPOLOGY:
ingest:
  DWGATE_EVENTBRIDGE_TARGET_URLS:
  DWGATE_EVENTBRIDGE_ACCOUNTS:
  DWGATE_EVENTBRIDGE_CERTIFICATE_FILE:
source:
  DWGATE_SOURCE_QUEUE:
  DWGATE_SOURCE_PREFETCH:
  DWGATE_SOURCE_TLS_CA_FILE:
checks:
  {{- if $hasConfig }}
  DWGATE_POLICY_FILE: /etc/dwgate/policy.yaml
  {{- end }}
  DWGATE_WAIVERS_FILE:
  DWGATE_DETAILS_URL:
  DWGATE_LOOKUP_CACHE_SECONDS:
  DWGATE_RECONCILE_SECONDS:
openapi:
  DWGATE_OPENAPI_ENDPOINT:
  DWGATE_OPENAPI_PROTOCOL:
  DWGATE_OPENAPI_READ_QPS:
  DWGATE_OPENAPI_WRITE_QPS:
credentials:
  ALIBABA_CLOUD_CREDENTIALS_FILE: /run/secrets/alibaba_credentials
console:
  DWGATE_CONSOLE_USERS_FILE: /run/secrets/console_users
  DWGATE_CONSOLE_URL:
  DWGATE_CONSOLE_OIDC_ISSUER:
  DWGATE_CONSOLE_OIDC_CLIENT_ID:
  DWGATE_CONSOLE_OIDC_CLAIM:
  DWGATE_CONSOLE_PROXY_ADDRESSES:
  DWGATE_CONSOLE_PROXY_HEADER:
flower:
  DWGATE_FLOWER_DB: /var/lib/dwgate/flower.db
  DWGATE_DETAILS_URL:
{{- end }}

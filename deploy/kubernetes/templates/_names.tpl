{{/* The name of what belongs to a component: (dict "root" $ "component" "ingest") */}}
{{- define "dwgate.name" -}}
{{ printf "%s-%s" (.root.Release.Name | trunc 45 | trimSuffix "-") .component }}
{{- end }}

{{/* The labels that select the pods of a component; without a component, those of the release. */}}
{{- define "dwgate.selector" -}}
app.kubernetes.io/name: dwgate
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* The labels of an object. */}}
{{- define "dwgate.labels" -}}
{{ include "dwgate.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Names and parts that every object uses. */}}
{{- define "cambist.labels" -}}
app.kubernetes.io/name: cambist
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: cambist-venue
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "cambist.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "cambist.image" -}}
{{- $v := .root.Values -}}
{{ $v.global.imageRegistry }}{{ $v.image.name }}-{{ .service }}:{{ $v.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Of a container. */}}
{{- define "cambist.container-security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Of a pod. Service links would put CAMBIST_… variables into pods that refuse unknown ones. */}}
{{- define "cambist.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A token for the API server: asked for by hand by the operator and Jobs, since no pod of the venue gets one. */}}
{{- define "cambist.token-volume" -}}
- name: token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{- define "cambist.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "cambist.selector" . | nindent 8 }}
{{- end }}

{{/* Certificate, key and authority of one name, as files; cert-manager has a Secret for each name. */}}
{{- define "cambist.credentials-volume" -}}
- name: credentials
  secret:
    {{- if eq .root.Values.credentials.mode "cert-manager" }}
    secretName: {{ .root.Release.Name }}-tls-{{ .name }}
    defaultMode: 0440
    items:
      - {key: ca.crt, path: authority.pem}
      - {key: tls.crt, path: {{ .name }}.pem}
      - {key: tls.key, path: {{ .name }}.key.pem}
    {{- else }}
    secretName: {{ .root.Release.Name }}-credentials
    defaultMode: 0440
    items:
      - {key: authority.pem, path: authority.pem}
      - {key: {{ .name }}.pem, path: {{ .name }}.pem}
      - {key: {{ .name }}.key.pem, path: {{ .name }}.key.pem}
    {{- end }}
{{- end }}

{{/* Not empty = the Secret of credentials is made by a Job, and not by helm. */}}
{{- define "cambist.credentials-by-job" -}}
{{- if or (eq .Values.credentials.mode "job") (and .Values.gitops.argocd (eq .Values.credentials.mode "cert-manager")) }}yes{{ end }}
{{- end }}

{{/* As YAML: the hosts in the certificate of each name, the subject first. */}}
{{- define "cambist.leaves" -}}
{{- $edge := printf "%s-edge" .Release.Name -}}
matching: [matching, localhost]
operator: [operator]
control: [control]
{{- if .Values.wallets.enabled }}
{{- range $service := list "wallets" "signer" "approver" }}
{{ $service }}: [{{ $service }}, {{ $.Release.Name }}-{{ $service }}]
{{- end }}
{{- end }}
{{- /* By helm always: it makes them once, and a certificate of one's own may be taken away later. */}}
{{- if or (not .Values.edge.certificateSecretName) (eq .Values.credentials.mode "chart") }}
edge: {{ toJson (concat (list $edge (printf "%s.%s" $edge .Release.Namespace) (printf "%s.%s.svc" $edge .Release.Namespace) "localhost") .Values.edge.hostNames) }}
{{- end }}
{{- end }}

{{/* Name of the role that a service (root, service) logs in as; empty = it logs in as the owner. */}}
{{- define "cambist.service-role" -}}
{{- get (get (.root.Values.postgres.serviceRoles | default dict) .service | default dict) "name" }}
{{- end }}

{{/* Secret with the DSN of that role. */}}
{{- define "cambist.service-role-secret" -}}
{{- $why := printf "postgres.serviceRoles.%s.secretName names the Secret with the role's DSN" .service -}}
{{ required $why (get (get .root.Values.postgres.serviceRoles .service) "secretName") }}
{{- end }}

{{/* As YAML: the Secret of each role that is named. */}}
{{- define "cambist.service-roles" -}}
{{- $root := . -}}
{{- $found := dict -}}
{{- range $service := list "matching" "gateway" "wallets" "signer" "approver" }}
{{- $context := dict "root" $root "service" $service }}
{{- with include "cambist.service-role" $context }}
{{- $secret := include "cambist.service-role-secret" $context }}
{{- if ne $secret (get $found . | default $secret) }}{{ fail (printf "postgres.serviceRoles: the role %s has one Secret" .) }}{{ end }}
{{- $_ := set $found . $secret }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}

{{/* The DSN of a service (root, service); without a service that of the owner, for migrations alone. */}}
{{- define "cambist.dsn" -}}
{{- $v := .root.Values.postgres -}}
valueFrom:
  secretKeyRef:
    {{- if and .service (include "cambist.service-role" .) }}
    name: {{ include "cambist.service-role-secret" . }}
    key: dsn
    {{- else if eq $v.mode "external" }}
    name: {{ required "postgres.external.secretName names the Secret with the DSN" $v.external.secretName }}
    key: {{ $v.external.secretKey }}
    {{- else if eq $v.mode "cnpg" }}
    # Made by CloudNativePG beside its Cluster.
    name: {{ .root.Release.Name }}-database-app
    key: uri
    {{- else }}
    name: {{ .root.Release.Name }}-postgres
    key: dsn
    {{- end }}
{{- end }}

{{/* The database of a service (root, service): as its role, or, when it `migrates`, as the owner, who gives the role its rights. */}}
{{- define "cambist.database-env" -}}
{{- $prefix := printf "CAMBIST_%s_POSTGRES" (upper .service) -}}
- name: {{ $prefix }}_DSN
  {{- include "cambist.dsn" (ternary (dict "root" .root) . (eq .migrates true)) | nindent 2 }}
{{- if .migrates }}
{{- with include "cambist.service-role" . }}
- {name: {{ $prefix }}_SERVICE_ROLE, value: {{ . }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "cambist.shards" -}}
{{- range $i, $s := .Values.matching.shards }}{{ if $i }},{{ end }}{{ int $s }}{{ end }}
{{- end }}

{{/* Both pods of every shard, on a port: "1=host:7001,host:7001;2=…". */}}
{{- define "cambist.matching-endpoints" -}}
{{- $root := . -}}
{{- range $i, $s := .Values.matching.shards }}{{ if $i }};{{ end }}{{ $n := printf "%s-matching-%d" $root.Release.Name (int $s) }}{{ int $s }}={{ $n }}-0.{{ $n }}:7001,{{ $n }}-1.{{ $n }}:7001{{ end }}
{{- end }}

{{- define "cambist.history-endpoints" -}}
{{- $root := . -}}
{{- range $i, $s := .Values.matching.shards }}{{ if $i }};{{ end }}{{ int $s }}={{ $root.Release.Name }}-projector-{{ int $s }}:7004{{ end }}
{{- end }}

{{/* Settings that all processes of one service share. */}}
{{- define "cambist.common-env" -}}
{{- $prefix := printf "CAMBIST_%s_" (upper .service) -}}
{{ include "cambist.database-env" (dict "root" .root "service" .service "migrates" (eq .does "migrate")) }}
- name: {{ $prefix }}LOG_LEVEL
  value: {{ .root.Values.logLevel | quote }}
{{- with .root.Values.telemetry.otlpEndpoint }}
- name: {{ $prefix }}TELEMETRY_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- if and (eq .does "serve") .root.Values.observability.serviceMonitor.enabled }}
- name: {{ $prefix }}TELEMETRY_SCRAPE_ADDRESS
  value: "0.0.0.0:9464"
{{- end }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: {{ $prefix }}INSTANCE
  value: $(POD_NAME)
{{- end }}

{{/* Whether firms may give themselves play money: "true", or nothing. */}}
{{- define "cambist.sandbox" -}}
{{- $here := and (eq .Values.postgres.mode "evaluation") (not .Values.wallets.enabled) -}}
{{- if or (eq .Values.sandbox.faucet "always") (and (eq .Values.sandbox.faucet "evaluation") $here) -}}true{{- end }}
{{- end }}

{{/* On pods whose metrics Prometheus reads. */}}
{{- define "cambist.scraped" -}}
{{- if .Values.observability.serviceMonitor.enabled -}}
cambist.dev/metrics: scraped
{{- end }}
{{- end }}

{{/* Annotation of pods that read credentials when they start: a changed revision replaces them. */}}
{{- define "cambist.credentials-revision" -}}
{{- with .Values.credentials.revision -}}
cambist.dev/credentials: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "cambist.scraped-port" -}}
{{- if .Values.observability.serviceMonitor.enabled -}}
- {name: metrics, containerPort: 9464}
{{- end }}
{{- end }}

{{/* Waits until the migrations Job has made the schema; never migrates. */}}
{{- define "cambist.wait-for-schema" -}}
- name: schema
  image: {{ include "cambist.image" . }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [python, /scripts/wait_for_schema.py, {{ .table | quote }}]
  env:
    - name: DSN
      {{- include "cambist.dsn" (dict "root" .root "service" (splitList "-" .service | first)) | nindent 6 }}
  resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 128Mi}}
  {{- include "cambist.container-security" . | nindent 2 }}
  volumeMounts: [{name: scripts, mountPath: /scripts, readOnly: true}]
{{- end }}

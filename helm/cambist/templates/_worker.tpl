{{/* What the operator lays over the pod template of workers. */}}
{{- define "cambist.worker-template" -}}
{{- $release := .Release.Name -}}
metadata:
  labels:
    app.kubernetes.io/instance: {{ $release }}
    app.kubernetes.io/component: worker
    {{- include "cambist.scraped" . | nindent 4 }}
  {{- with include "cambist.credentials-revision" . }}
  annotations: {{ . | nindent 4 }}
  {{- end }}
spec:
  {{- include "cambist.pod" . | nindent 2 }}
  containers:
    - name: worker
      env:
        {{- include "cambist.database-env" (dict "root" . "service" "wallets" "migrates" false) | nindent 8 }}
        - {name: CAMBIST_WALLETS_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
        {{- if include "cambist.sandbox" . }}
        # Play money of the faucet is beyond custody's book, and no reason to stop payouts.
        - {name: CAMBIST_WALLETS_ENGINE_DEFICIT_STOPS, value: "false"}
        {{- end }}
        {{- with .Values.telemetry.otlpEndpoint }}
        - {name: CAMBIST_WALLETS_TELEMETRY_OTLP_ENDPOINT, value: {{ . | quote }}}
        {{- end }}
        {{- if .Values.observability.serviceMonitor.enabled }}
        - {name: CAMBIST_WALLETS_TELEMETRY_SCRAPE_ADDRESS, value: "0.0.0.0:9464"}
        {{- end }}
        - {name: CAMBIST_WALLETS_ENGINES, value: {{ include "cambist.matching-endpoints" . | quote }}}
        - {name: CAMBIST_WALLETS_SIGNER_ADDRESS, value: "{{ $release }}-signer:7301"}
        - {name: CAMBIST_WALLETS_APPROVER_ADDRESS, value: "{{ $release }}-approver:7302"}
        {{- range list "TLS" "PEER_TLS" }}
        - {name: CAMBIST_WALLETS_{{ . }}_CERTIFICATE_FILE, value: /credentials/wallets.pem}
        - {name: CAMBIST_WALLETS_{{ . }}_PRIVATE_KEY_FILE, value: /credentials/wallets.key.pem}
        - {name: CAMBIST_WALLETS_{{ . }}_AUTHORITY_FILE, value: /credentials/authority.pem}
        {{- end }}
      {{- with include "cambist.scraped-port" . }}
      ports: {{ . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - {name: credentials, mountPath: /credentials, readOnly: true}
  volumes:
    {{- include "cambist.credentials-volume" (dict "root" . "name" "wallets") | nindent 4 }}
{{- end }}

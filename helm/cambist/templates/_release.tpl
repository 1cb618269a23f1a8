{{/* Jobs before and after a release: each has an account with just the rights of its own. */}}

{{/* Account, Role and binding: root, name, component, rules, and annotations when they are hooks themselves. */}}
{{- define "cambist.release-account" -}}
{{- $metadata := dict "name" .name "labels" (include "cambist.labels" . | fromYaml) -}}
{{- with .annotations }}{{ $_ := set $metadata "annotations" . }}{{ end -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{ toYaml $metadata | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{ toYaml $metadata | nindent 2 }}
rules: {{ toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{ toYaml $metadata | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: {{ .name }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}

{{/* A hook: root, name, component, hook, args of control.release, deadlineSeconds, retries, and a ConfigMap mounted at /resources. */}}
{{- define "cambist.release-job" -}}
{{- $context := dict "root" .root "component" .component "service" "control" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  labels: {{ include "cambist.labels" $context | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    # Helm shows what it says.
    helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
spec:
  backoffLimit: {{ .retries }}
  activeDeadlineSeconds: {{ .deadlineSeconds }}
  template:
    metadata:
      labels: {{ include "cambist.labels" $context | nindent 8 }}
    spec:
      restartPolicy: Never
      {{- include "cambist.pod" .root | nindent 6 }}
      serviceAccountName: {{ .name }}
      containers:
        - name: {{ first .args }}
          image: {{ include "cambist.image" $context }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: [python, -m, control.release]
          args: {{ toYaml (concat .args (list "--release" .root.Release.Name)) | nindent 12 }}
          env:
            - {name: CAMBIST_CONTROL_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            {{- include "cambist.worker-image-env" .root | nindent 12 }}
          resources: {requests: {cpu: 20m, memory: 96Mi}, limits: {memory: 256Mi}}
          {{- include "cambist.container-security" .root | nindent 10 }}
          volumeMounts:
            - {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
            - {name: scratch, mountPath: /tmp}
            {{- if .configMap }}
            - {name: resources, mountPath: /resources, readOnly: true}
            {{- end }}
      volumes:
        - {name: scratch, emptyDir: {}}
        {{- with .configMap }}
        - {name: resources, configMap: {name: {{ . }}}}
        {{- end }}
        {{- include "cambist.token-volume" .root | nindent 8 }}
{{- end }}

{{/* Which image workers have, for whoever makes them and whoever waits for them. */}}
{{- define "cambist.worker-image-env" -}}
- {name: CAMBIST_CONTROL_WORKER_IMAGE, value: "{{ .Values.global.imageRegistry }}{{ .Values.image.name }}-wallets-{chain}"}
- {name: CAMBIST_CONTROL_WORKER_TAG, value: {{ .Values.image.tag | default .Chart.AppVersion | quote }}}
{{- end }}

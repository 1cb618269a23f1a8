# A collector of OpenTelemetry for tests on a cluster; the folder holds the program `collector`.
FROM debian:trixie-slim
COPY collector /usr/local/bin/collector
USER 10001:10001
EXPOSE 4317
ENTRYPOINT ["collector", "--config=/etc/collector/collector.yaml"]

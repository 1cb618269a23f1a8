#!/bin/sh
# Makes the database on an empty volume; an existing one is left alone. Runs before the server, in its image.
set -eu
test -s "$PGDATA/PG_VERSION" && exit 0
printf %s "$PASSWORD" > /tmp/password
initdb --username=cambist --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
echo "CREATE DATABASE cambist" | postgres --single -D "$PGDATA" postgres

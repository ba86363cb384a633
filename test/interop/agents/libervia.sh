#!/bin/sh
# Runs libervia's backend and the commands on standard input, one a line: `<profile> <words>`. What a
# command needs to read comes from the file that LIBERVIA_INPUT names. Each answer ends with a line
# `<<status>>`. To be run within dbus-run-session.
set -u
mkdir -p "$HOME"
printf '[DEFAULT]\nhosts_dict = {"%s": {"host": "127.0.0.1", "port": %s}}\n' \
  "$LIBERVIA_DOMAIN" "$LIBERVIA_PORT" > "$HOME/.sat.conf"
libervia-backend fg > "$HOME/backend.log" 2>&1 &
backend=$!
trap 'kill "$backend" 2> "$HOME/kill.log"; wait "$backend"' EXIT
# It is there when it has its name; to call it before would have the bus start another one.
has_name() {
  dbus-send --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.libervia.Libervia | grep -q true
}
until has_name; do
  kill -0 "$backend" || { cat "$HOME/backend.log" >&2; exit 1; }
  sleep 0.2
done
# Its answer comes when its database is made.
libervia-cli profile list < /dev/null > "$HOME/wait.log" 2>&1
while IFS= read -r line; do
  eval "set -- $line"
  libervia-cli "$@" < "$LIBERVIA_INPUT" 2>&1
  echo "<<$?>>"
done

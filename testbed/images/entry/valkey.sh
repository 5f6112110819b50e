#!/bin/sh
# Entry point of the Valkey image: options or a .conf file as arguments, the data folder given to the valkey user.
set -eu

if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- valkey-server "$@"; fi
if [ "$1" = valkey-server ]; then
  # The official build has protected mode off by default; Debian's has it on, which would refuse every other container.
  case " $* " in *protected-mode*) ;; *) set -- "$@" --protected-mode no ;; esac
  if [ "$(id -u)" = 0 ]; then
    find . ! -user valkey -exec chown valkey: {} +
    exec setpriv --reuid=valkey --regid=valkey --clear-groups -- "$0" "$@"
  fi
  [ "$(umask)" != 0022 ] || umask 0077
fi
exec "$@"

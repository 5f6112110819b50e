#!/bin/sh
# Entry point of the Redis image: options or a .conf file as arguments, the data folder given to the redis user.
set -eu

if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ]; then
  # The official build has protected mode off by default; Debian's has it on, which would refuse every other container.
  case " $* " in *protected-mode*) ;; *) set -- "$@" --protected-mode no ;; esac
  if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis: {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
  fi
  [ "$(umask)" != 0022 ] || umask 0077
fi
exec "$@"

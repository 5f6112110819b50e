# shellcheck shell=bash
# Sourced by the entry points: what the first start of the official images has in common.

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# file_env NAME [DEFAULT] : NAME from itself, or from the file that NAME_FILE names. Both set is an error.
file_env() {
  local name=$1 file_name=${1}_FILE value=${2:-}
  [[ -z ${!name:-} || -z ${!file_name:-} ]] || fail "error: both $name and $file_name are set (but are exclusive)"
  if [[ -n ${!name:-} ]]; then
    value=${!name}
  elif [[ -n ${!file_name:-} ]]; then
    value=$(<"${!file_name}")
  fi
  export "$name=$value"
  unset "$file_name"
}

# escaped TEXT : for use between the quotes of a string literal that knows backslashes; always one line.
escaped() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\'/\\\'}
  text=${text//$'\n'/\\n}
  text=${text//$'\r'/\\r}
  printf '%s' "$text"
}

# seed_by COMMAND… : runs the files of /docker-entrypoint-initdb.d, SQL on the stdin of the command.
seed_by() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    echo "$0: running $file"
    # shellcheck source=/dev/null
    case $file in
    *.sh) if [[ -x $file ]]; then "$file"; else source "$file"; fi ;;
    *.sql) "$@" <"$file" ;;
    *.sql.gz) gunzip -c "$file" | "$@" ;;
    *) echo "$0: ignoring $file" ;;
    esac
  done
}

has_seeds() { compgen -G '/docker-entrypoint-initdb.d/*' >/dev/null; }

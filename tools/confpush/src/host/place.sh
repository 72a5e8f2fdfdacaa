# The folder of a spec on a host. A script knows P, the file; S, the store, or nothing; NAME and KEY, its folder.
fail() {
  printf "%s\n" "$2" >&2
  exit "$1"
}
place() {
  if [ -z "$S" ]; then
    if [ "$(id -u)" = 0 ]; then
      S=/var/lib/confpush
    elif [ -n "${HOME:-}" ]; then
      S=$HOME/.local/state/confpush
    else
      fail 1 "there is no home folder for backups; name a store in the spec"
    fi
  fi
  N=$S/$NAME/$KEY
  O=$N/open
}
# Whether the process $1 is the guard of the attempt $2. Its script begins with its name.
is_guard() {
  c=
  { IFS= read -r c <"/proc/$1/cmdline"; } 2>/dev/null
  case $c in *"# confpush-$2") return 0 ;; esac
  return 1
}
# Whether anybody holds the lock of a deployment: its guard, most of all. One that can be seen is not asked for
# its lock: a command of its own costs more than all else here.
guarded() {
  for t in "$N"/open/try.*; do
    for g in "$N"/open/guard.*; do
      ! is_guard "${g##*.}" "${t##*.}" || return 0
    done
  done
  [ -e "$N/lock" ] && ! flock -s -n 0 <"$N/lock"
}
# A beat is a new name: that takes no room on a full disk, and is never read by half. A script that is
# sent twice has the same one.
beat() {
  for x in "$O"/beat.*; do
    [ "$x" = "$O/beat.$1" ] || mv "$x" "$O/beat.$1" || exit 1
  done
}

# What is open elsewhere in the store: of another spec that has this file, and of this spec what nobody is at,
# of a file that it may have no more.
elsewhere() {
  own=$N
  for x in "$S"/*/"$KEY" "$S/$NAME"/*; do
    if [ "$x" != "$own" ] && noted "$x/open"; then
      N=$x so=alone
      ! guarded || so=guarded
      x=${x#"$S"/}
      case $x in
      "$NAME"/*) [ "$so" = guarded ] || printf "left %s\n" "${x#*/}" ;;
      *)
        printf "rival %s %s\n" "$so" "${x%/*}"
        so=alone
        ;;
      esac
      [ "$so" = guarded ] || printf "id %s\nversion %s\nwho %s\ntime %s\nfile %s\n" "$id" "$version" "$who" "$at" "$f"
    fi
  done
}
# Says what is there; changes nothing.
do_look() {
  tools
  place
  file
  set -- "$f"
  if [ ! -e "$f" ] && [ ! -L "$f" ]; then
    set --
  elif [ ! -f "$f" ]; then
    fail 1 "$f is no file"
  fi
  [ ! -e "$N" ] && [ ! -L "$N" ] || ours
  [ ! -d "${f%/*}/" ] || closed "$@"
  st=none
  if [ $# != 0 ]; then
    st=$(sha256sum <"$f") || exit 1
    st="${st%% *} ${more%/*}"
  fi
  printf "live %s\n" "$st"
  if [ -d "$N" ]; then
    set --
    for x in "$N"/kept/*; do
      [ ! -e "$x" ] || set -- "$@" "$x/head" "$x/states"
    done
    [ $# = 0 ] || cat "$@" || exit 1
    phase
    # Before it has a phase it has done nothing.
    if [ "$ph" != none ]; then
      x=alone
      ! guarded || x=guarded
      printf "open %s\n" "$x"
      # It may end while it is looked at.
      [ ! -f "$O/head" ] || cat "$O/head" 2>/dev/null
    fi
  fi
  [ ! -O "$S" ] || elsewhere
  printf "end\n"
}

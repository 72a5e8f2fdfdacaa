# What is done to a deployment: by the scripts of the deployer, and by its guard.
#
# A deployment is the folder O. Its phase is the name of a file there, the last there is of new, staged, armed,
# confirmed and restoring, and every step from one to the next is taken under the lock N/step. The last two
# need no room: they are, or can be, renames. The lock N/lock is its guard's for as long as that lives.
tools() {
  for x in flock head setsid sha256sum stat timeout; do
    command -v "$x" >/dev/null 2>&1 || fail 1 "there is no $x(1) on the host"
  done
}
pause() {
  sleep 0.1 2>/dev/null 8>&- 9>&- || sleep 1 8>&- 9>&-
}
durable() {
  sync "$@" 2>/dev/null || sync
}
ours() {
  for x in "$S" "$S/$NAME" "$N"; do
    [ -d "$x" ] && [ ! -L "$x" ] && [ -O "$x" ] || fail 1 "$x is no folder of our own; remove it, or name another store"
  done
}
# Nobody else may write to our folders, nor to one on the way to the file: who may could put another one in
# its place at any moment. What stat(1) says of the files given is in more, then.
closed() {
  nl="
"
  d=${f%/*}
  d=${d:-/}
  ways=$nl hard=$nl$d$nl${P%/*}$nl
  # Where they lead by links, and by names that are no folder's own.
  for w in "$d" "${P%/*}" -; do
    if [ "$w" = - ]; then
      case $hard$d/ in
      "$nl$d$nl${P%/*}$nl$d/") case $d/ in *//* | */./* | */../*) ;; *) continue ;; esac ;;
      esac
      w=$(cd -P -- "$d" && pwd -P)
    fi
    while :; do
      w=${w:-/}
      case $ways in *"$nl$w$nl"*) break ;; esac
      ways=$ways$w$nl
      [ ! -L "$w" ] || hard=$hard${w%/*}$nl
      set -- "$w" "$@"
      w=${w%/*}
    done
  done
  own=
  [ ! -d "$N" ] || own="$S$nl$S/$NAME$nl$N$nl"
  [ -z "$own" ] || set -- "$S" "$S/$NAME" "$N" "$@"
  more=$(stat -L -c "$TOLD" "$@") || exit 1
  for x in "$@"; do
    case $nl$own$ways in
    "$nl$x$nl"*)
      own=${own#*"$nl"}
      case ${more%% *} in
      *[2367]? | *[2367]) fail 1 "others may write to $x; close it to them, or name another store" ;;
      esac
      ;;
    *"$nl$x$nl"*)
      y=${more%%"$nl"*}
      way "$x" "${y%/*}"
      ;;
    *) break ;;
    esac
    more=${more#*"$nl"}
  done
}
# The folder $1 on the way, of which stat(1) says $2. In one such as /tmp nobody can replace what is another's;
# that does for those above the file, and not where a link is followed.
way() {
  w=${2#* * }
  set -- "$1" "${2%% *}" "${w%% *}" "${w#* }"
  w=${4#*/}
  set -- "$1" "$2" "$3" "${4%%/*}" "${w%/*}" "${w##*/}"
  [ "$5" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$3" "$6"
  [ "$6" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$5" "$4"
  w="could put another file in the place of $P"
  [ -O "$1" ] || [ "$3" = 0 ] || trusted "$3" "$5" ||
    fail 1 "$1 is of $5, who $w; give it to root, or name $5 in trust of the spec"
  case $2 in
  [1357]???) case $hard in *"$nl$1$nl"*) ;; *) return 0 ;; esac ;;
  esac
  case $2 in *[2367]) fail 1 "all may write to $1, and $w; close it to others" ;; esac
  case $2 in
  *[2367]?)
    [ "$4" = 0 ] || [ "$5" = "$6" ] || trusted "$4" "$6" ||
      fail 1 "the group $6 may write to $1, and $w; close it to them, or name $6 in trust of the spec"
    ;;
  esac
}
trusted() {
  case $TRUST in *"$nl$1$nl"* | *"$nl$2$nl"*) return 0 ;; esac
  return 1
}
# The file behind P.
file() {
  f=$P
  if [ -L "$f" ]; then
    f=$(readlink -f "$f") && [ -n "$f" ] || fail 1 "$P leads nowhere"
  fi
  case $f in
  *"
"*) fail 1 "the name of $P has a line break" ;;
  esac
}
beside() {
  d=${f%/*}
  n=${f##*/}
  T=$d/.$n.confpush-$id
  d=${d:-/}
}
# What the folder $1 says of its deployment.
noted() {
  id= f=
  [ -f "$1/head" ] || return 1
  {
    IFS= read -r id && IFS= read -r version && IFS= read -r who && IFS= read -r at && IFS= read -r f
  } <"$1/head" || return 1
  id=${id#id }
  who=${who#who }
  at=${at#time }
  f=${f#file }
}
# Another deployment has the lock: whose, where it has said so.
busy() {
  x=
  ! noted "$O" || x=": $id by $who since $at"
  fail "$1" "$BUSY$x"
}
states() {
  { IFS= read -r was && IFS= read -r is; } <"$1/states" || fail 1 "$1/states says nothing"
  was=${was#before }
  is=${is#after }
}
# By what it is seen, without a sum, that a file is still the same.
marks() {
  { IFS= read -r old_mark && IFS= read -r new_mark; } <"$O/marks" || exit 1
}
# What stat(1) tells of a file: mode, size, owner and group, and the mark of these very bytes: the inode, and
# when they were last written.
TOLD="%a %s %u %g/%U/%G/%i %y"
# Whether the file is still as $1 has it, which had the mark $2. What has its mark needs no sum.
is_still() {
  if [ "$1" != none ] && [ -n "$2" ] && [ -f "$f" ] && [ ! -L "$f" ]; then
    # Names of users cost more than all else that stat(1) tells.
    x=$(stat -c "%a %s %u %g/%i %y" "$f") || exit 1
    y=${1#* }
    [ "${y%%/*}/$2" != "$x" ] || return 0
  fi
  state "$f"
  same "$st" "$1"
}
state() {
  st=none
  [ -e "$1" ] || [ -L "$1" ] || return 0
  [ -f "$1" ] || fail 1 "$1 is no file"
  st=$(sha256sum <"$1") || exit 1
  more=$(stat -c "$TOLD" "$1") || exit 1
  st="${st%% *} ${more%/*}"
}
# As the deployer was told of it: owner and group by name, or by number where they have none.
described() {
  case $st in
  none) so=none ;;
  *)
    x=${st#*/}
    set -- ${st%%/*} "${x%/*}" "${x##*/}"
    [ "$6" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$5" "$4" "$7"
    [ "$7" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$5" "$6" "$5"
    so="$1 $2 $3 $6/$7"
    ;;
  esac
}
same() {
  [ "${1%%/*}" = "${2%%/*}" ]
}
# Waits $1 tenths of a second to be the only one at work, with N/step as 8. Locks are the redirections of
# functions: mksh does not always close what exec is to close.
step() {
  i=0
  until flock -n 0 <&8; do
    i=$((i + 1))
    [ "$i" -le "$1" ] || fail 3 "another command of a deployment does not end"
    pause
  done
}
phase() {
  for ph in restoring confirmed armed staged new none; do
    [ ! -e "$O/phase.$ph" ] || break
  done
}
turn() {
  mv "$O/phase.$1" "$O/phase.$2" && durable "$O" || exit 1
  ph=$2
}
guards() {
  G= try=
  for x in "$O"/guard.*; do
    [ ! -e "$x" ] || G="$G ${x##*.}"
  done
  for x in "$O"/try.*; do
    try=${x##*.}
  done
}
# Ends the guard whose deployment is over.
dismiss() {
  for x in $G; do
    # By a signal that no shell leaves for later.
    ! is_guard "$x" "$try" || kill -9 "$x" 2>/dev/null
  done
}
# The same, and its lock is free then.
release() {
  dismiss
  i=0
  while guarded; do
    i=$((i + 1))
    [ "$i" -lt 80 ] || fail 3 "the guard does not end"
    [ "$i" -lt 5 ] || pause
  done
}
# Undoes what was staged. After a power cut the phase may be older than the file, and what was noted before any
# file is replaced tells.
unstage() {
  if [ -n "$f" ] && [ -f "$O/states" ] && { IFS= read -r was && IFS= read -r is; } <"$O/states"; then
    was=${was#before }
    is=${is#after }
    state "$f"
    if same "$st" "$is" && ! same "$st" "$was"; then
      back
      return
    fi
  fi
  drop
}
gone() {
  [ ! -e "$N/trash.$id" ] || rm -rf "$N/trash.$id"
  mv "$O" "$N/trash.$id" && rm -rf "$N/trash.$id" || exit 1
}
# What was killed while it was removed, in the folder that is nobody's but ours.
tidy() {
  for x in "$N"/trash.*; do
    [ ! -e "$x" ] || rm -rf "$x"
  done
}
drop() {
  rm -f "$T" "$T.old" && gone || exit 1
}
# Runs the script $2 for $1 seconds at most, as it would run without us; why says what came of it.
# A daemon that it leaves behind holds none of our files.
limited() {
  o=$O/out
  true 2>/dev/null >"$o" || o=/dev/null
  k="-k 5"
  # Where it is a part of something smaller it may not know that.
  if [ ! -f /usr/bin/timeout ] || [ -L /usr/bin/timeout ]; then
    timeout -k 1 1 true 2>/dev/null || k=
  fi
  # The shell itself says that something was killed.
  {
    (
      umask "$U"
      exec timeout $k "$1" "$SH" -c "$2" </dev/null >"$o" 2>&1 8>&- 9>&-
    )
    r=$?
  } 2>/dev/null
  case $r in
  124) why="it took longer than ${1}s" ;;
  137) why="it was killed; it may take ${1}s" ;;
  *) why="exit status $r" ;;
  esac
  [ "$o" = /dev/null ] || while IFS= read -r x; do
    if [ -n "$x" ]; then
      why="$why: $x"
      break
    fi
  done <"$o"
  return "$r"
}
reload() {
  [ -z "$R" ] || limited "$RT" "$R"
}
# Puts the old file back, proves it, and leaves nothing: under the step lock, from armed or restoring.
back() {
  [ "$ph" = restoring ] || turn "$ph" restoring
  states "$O"
  rm -f "$T" || exit 1
  state "$f"
  # What somebody else has put there meanwhile is neither the old file nor ours: it is kept.
  if [ "$st" != none ] && [ "${st%% *}" != "${was%% *}" ] && [ "${st%% *}" != "${is%% *}" ]; then
    cp -a "$f" "$N/foreign.$id" || exit 1
    durable "$N/foreign.$id" "$N"
  fi
  if [ "$was" = none ]; then
    [ "$st" = none ] || rm -f "$f" || exit 1
  elif ! same "$st" "$was"; then
    st=none
    [ ! -f "$T.old" ] || state "$T.old"
    if ! same "$st" "$was"; then
      rm -f "$T.old"
      cp -a "$O/before" "$T.old" || exit 1
      state "$T.old"
      same "$st" "$was" || fail 1 "the backup of $f in $O is not what it was"
      durable "$T.old"
    fi
    mv -f "$T.old" "$f" || exit 1
  fi
  rm -f "$T.old" || exit 1
  durable "$d"
  state "$f"
  same "$st" "$was" || fail 1 "$f is not what it was"
  reload || fail 1 "the old file is back in its place, but cannot be reloaded: $why"
  gone
}
# The new file stays: under the step lock, from confirmed.
finish() {
  [ -d "$N/kept" ] || mkdir "$N/kept" || return 1
  set -- "$N"/kept/*
  while [ $# -ge "$KEEP" ] && [ -e "$1" ]; do
    x=$N/trash.${1##*/}
    [ ! -e "$x" ] || rm -rf "$x"
    mv "$1" "$x" || return 1
    shift
  done
  rm -rf "$T" "$T.old" "$O"/guard.* "$O"/try.* "$O"/beat.* "$O/out" "$O/marks" "$N"/trash.* || return 1
  mv "$O" "$N/kept/$id" && durable "$d" "$N/kept/$id" "$N/kept" "$N"
}
U=$(umask)
umask 077

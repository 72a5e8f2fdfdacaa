# Takes the lock, starts the guard, and has the new file beside the old one, judged and not used.
# What has begun under this very id: somebody has asked twice.
again() {
  G=
  step 300
  phase
  if noted "$O" && [ "$id" = "$ID" ]; then
    case $ph in
    staged)
      beat "$B"
      [ "$CONTENT" != bytes ] || head -c "$SIZE" >/dev/null
      exit 0
      ;;
    new)
      beside
      guards
      drop
      ;;
    *) fail 1 "deployment $ID is staged and used already" ;;
    esac
  fi
}
lock_or_busy() {
  i=0
  until flock -n 0 <&9; do
    if noted "$O" && [ "$id" = "$ID" ]; then
      again 8>>"$N/step" || exit 1
      dismiss
    else
      i=$((i + 1))
      # Somebody who only looks has it for a moment, and a guard that has nothing more to do for a second.
      x=20
      [ ! -e "$O" ] || x=5
      [ "$i" -lt "$x" ] || busy 4
      pause
    fi
  done
}
# What is left of others, and of an earlier attempt.
clear_left() {
  step 300
  noted "$O" || id=
  phase
  case $id/$ph in
  "$ID/new" | "$ID/staged")
    beside
    unstage
    ;;
  */none)
    T=$N/none
    drop
    ;;
  *) fail 1 "deployment $id by $who was left half done; it has to be settled first" ;;
  esac
}
sweep() {
  if [ -e "$O" ]; then clear_left 8>>"$N/step" || exit 1; fi
  tidy
  id=$ID
  file
  beside
  for x in "$d/.$n.confpush-"*; do
    [ ! -e "$x" ] || rm -f "$x"
  done
}
# Waits until the guard has said who it is.
named() {
  i=0
  guards
  while [ -z "$G" ] && [ "$i" -lt 50 ]; do
    i=$((i + 1))
    pause
    guards
  done
}
# What is there; the sum of it only as it was seen: what is copied is compared with that.
found() {
  old_mark=
  st=none
  if [ -e "$f" ]; then
    [ -f "$f" ] || fail 1 "$f is no file"
    closed "$f"
    st="${SEEN%% *} ${more%/*}" old_mark=${more##*/}
  else
    closed
  fi
  described
  [ "$so" = "$SEEN" ] || fail 1 "$f is no longer what was looked at"
  was=$st
}
begin() {
  # What a confirmation takes is made now: then it needs no room.
  [ -d "$N/kept" ] || mkdir "$N/kept" || exit 1
  mkdir "$O" || exit 1
  printf "id %s\nversion %s\nwho %s\ntime %s\nfile %s\n" "$ID" "$VERSION" "$WHO" "$AT" "$f" >"$O/head" &&
    true >"$O/try.$TRY" && true >"$O/phase.new" || {
    rm -rf "$O"
    exit 1
  }
  setsid "$SH" -c "# confpush-$TRY
$L
guard \"\$@\"" "confpush-$TRY" "$N" "$TRY" "$WITHIN" "$KEEP" "$SH" "$R" "$RT" "$U" </dev/null >/dev/null 2>&1 9>&9 &
}
# The lock is the guard's alone, then.
start() {
  lock_or_busy
  rivals
  sweep
  [ -d "$d" ] || fail 1 "there is no folder $d"
  found
  G=
  begin
}
# The name is ours alone: nobody who may write to the folder can have put a link there.
upload() {
  case $CONTENT in
  bytes) create head -c "$SIZE" ;;
  kept)
    x=$N/kept/$ID2
    [ -f "$x/$PIECE" ] || fail 1 "the host keeps no file of deployment $ID2"
    states "$x"
    [ "$PIECE" = before ] || was=$is
    # As it was then, and not as the spec has it today.
    set -- ${was%%/*}
    SUM=$1 AM=$2 AO=$4 AG=$5
    create cat "$x/$PIECE"
    ;;
  esac
}
create() {
  set -C
  "$@" >"$T"
  x=$?
  set +C
  [ "$x" = 0 ] || exit 1
}
# The new file gets what the old one has, and what the spec wants. It is open to nobody else before.
dress() {
  mode=644 uid= gid=
  if [ "$was" != none ]; then
    set -- ${was%%/*}
    mode=$2 uid=$4 gid=$5
    [ "$AM" != "$mode" ] || AM=
    x=timestamps${AM:+,mode}
    if cp --attributes-only --preserve=all --no-preserve="$x" "$f" "$T" 2>/dev/null; then
      [ -n "$AO$AG$AM" ] || mode=
    else
      chown "$uid:$gid" "$T" 2>/dev/null
    fi
  fi
  if [ -n "$AO$AG" ]; then chown -- "$AO${AG:+:$AG}" "$T" || exit 1; fi
  [ -z "$mode" ] || chmod "${AM:-$mode}" "$T" || exit 1
}
# What the next of the files is that were measured together.
next() {
  x=${sums%%"$nl"*}
  sums=${sums#*"$nl"}
  x=${x#"\\"}
  y=${more%%"$nl"*}
  more=${more#*"$nl"}
  st="${x%% *} ${y%/*}" mark=${y##*/}
}
# That all is as it has to be; what came by the way and what the validator did is asked for together.
measure() {
  set --
  [ "$CONTENT" = nothing ] || set -- "$T" "$O/after"
  [ "$was" = none ] || set -- "$@" "$T.old" "$O/before"
  sums= more= new_mark=
  if [ $# != 0 ]; then sums=$(sha256sum "$@") && more=$(stat -c "$TOLD" "$@") || exit 1; fi
  if [ "$CONTENT" != nothing ]; then
    next
    is=$st new_mark=$mark
    next
    # The copy is older than what the validator may have done.
    [ "$SUM" = "${st%% *}" ] || fail 3 "the content did not arrive whole"
    x=${st%%/*} y=${is%%/*}
    [ "${x% * *}" = "${y% * *}" ] || fail 1 "the validator of the host has changed it"
    set -- ${is%%/*}
    [ -n "$AO" ] || [ -z "$uid" ] || [ "$uid" = "$4" ] || fail 1 "cannot keep the owner of $f; the deployer has to become root"
    [ -n "$AG" ] || [ -z "$gid" ] || [ "$gid" = "$5" ] || fail 1 "cannot keep the group of $f; the deployer has to become root"
  fi
  if [ "$was" != none ]; then
    next
    same "$st" "$was" || fail 1 "$f is changed by somebody else meanwhile, or cannot be kept as it is"
    next
    [ "${st%% *}" = "${was%% *}" ] || fail 1 "$f is changed by somebody else meanwhile"
  fi
}
judge() {
  step 300
  phase
  [ -e "$O/try.$TRY" ] && [ "$ph" = new ] || fail 3 "the host heard nothing for too long, and gave it up"
  true >"$O/beat.$B" || exit 1
  set -- "$O/states" "$O/head" "$O" "$N"
  if [ "$CONTENT" != nothing ]; then
    dress
    cp -p "$T" "$O/after" || exit 1
    set -- "$@" "$T" "$O/after" "$d"
  fi
  if [ "$was" != none ]; then
    cp -a "$f" "$O/before" && cp -a "$f" "$T.old" || exit 1
    set -- "$@" "$T.old" "$O/before"
  fi
  refusal=
  if [ -n "$VT" ] && [ "$CONTENT" != nothing ]; then
    quote "$T"
    validator
    limited "$VT" "$v" || refusal="the validator of the host refuses it: $why"
  fi
  measure
  [ -z "$refusal" ] || fail 1 "$refusal"
  printf "before %s\nafter %s\n" "$was" "$is" >"$O/states" || exit 1
  printf "%s\n%s\n" "$old_mark" "$new_mark" >"$O/marks" || exit 1
  durable "$@"
  named
  [ -n "$G" ] || fail 1 "the guard does not start"
  # Were this lost, it would be undone, and so it would be when it is not.
  true >"$O/phase.staged" || exit 1
}
# Of two specs with one file who comes second; and, where both have begun since, each that sees the other.
rivals() {
  for x in "$S"/*/"$KEY"; do
    [ "$x" = "$N" ] || [ ! -f "$x/open/head" ] || (rival "$x") || exit $?
  done
}
rival() {
  noted "$1/open" || return 0
  x=${1%/*}
  fail 4 "$BUSY: $id by $who since $at, by the spec ${x##*/}"
}
quote() {
  q= x=$1
  while :; do
    case $x in
    *"'"*)
      q="$q${x%%"'"*}'\\''"
      x=${x#*"'"}
      ;;
    *) break ;;
    esac
  done
  q="'$q$x'"
}
undo() {
  step 300
  phase
  if [ -e "$O/try.$TRY" ] && [ "$ph" = new ]; then
    named
    drop
    is_undone=true
  fi
}
do_stage() {
  # A script that is sent twice is two attempts: the first may wake up when the second has done its work.
  TRY=$TRY-$$
  tools
  place
  if [ ! -d "$N" ]; then
    mkdir -p "$N" && durable "$N" "$S/$NAME" "$S" "${S%/*}/" || exit 1
  fi
  ours
  [ ! -e "$N/kept/$ID" ] || fail 1 "deployment $ID is confirmed already"
  start 9>>"$N/lock" || exit 1
  (
    old=$was is=none
    upload
    rivals
    was=$old
    judge 8>>"$N/step"
  )
  s=$?
  if [ "$s" != 0 ]; then
    is_undone=
    undo 8>>"$N/step"
    # Also of a guard that has not said yet who it is: it ends by itself.
    [ -z "$is_undone" ] || release
  fi
  exit "$s"
}

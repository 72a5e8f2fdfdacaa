# Goes back, or proves that the host has.
#
# One that is confirmed is opened again, under the lock of a new deployment.
reopen() {
  i=0
  until flock -n 0 <&9; do
    i=$((i + 1))
    [ "$i" -lt 20 ] || busy 4
    pause
  done
  [ ! -e "$O" ] || fail 1 "another deployment was left half done; it has to be settled first"
  for x in "$N"/kept/*; do
    :
  done
  x=${x##*/}
  [ "$x" = "$ID" ] || fail 1 "deployment $x was confirmed after it"
  x=$N/kept/$ID
  noted "$x" || fail 1 "$x/head says nothing"
  states "$x"
  state "$f"
  same "$st" "$is" || same "$st" "$was" || fail 1 "$f was changed by somebody else after it was confirmed"
  [ ! -e "$x/phase.confirmed" ] || mv "$x/phase.confirmed" "$x/phase.restoring" || exit 1
  mv "$x" "$O" && durable "$O" "$N" || exit 1
  beside
  ph=restoring
  back
}
# What was killed before it had done anything, if nobody is just about to.
clear_unborn() {
  if flock -n 0 <&9 && [ -d "$O" ]; then
    id=$ID T=$N/none
    drop
  fi
}
restore() {
  step "$LONG"
  G=
  if noted "$O" && [ "$id" = "$ID" ]; then
    beside
    phase
    guards
    case $ph in
    new | staged | none) unstage ;;
    *) back ;;
    esac
  elif [ -d "$N/kept/$ID" ]; then
    reopen 9>>"$N/lock" || exit 1
  fi
  phase
  if [ -d "$O" ] && [ "$ph" = none ]; then clear_unborn 9>>"$N/lock" || exit 1; fi
  [ -e "$O" ] || tidy
}
do_restore() {
  place
  if [ -d "$N" ]; then
    ours
    restore 8>>"$N/step" || exit 1
    [ -z "$G" ] || release
  fi
  file
  state "$f"
  described
  [ "$SEEN" = "$so" ] || fail 1 "$f is not what it was before the deployment"
  [ ! -e "$N/foreign.$ID" ] || printf "%s\n" "$N/foreign.$ID"
}

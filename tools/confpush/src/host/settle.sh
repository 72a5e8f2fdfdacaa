# Ends a deployment whose guard is no more, and says how.
lock_to_settle() {
  i=0
  until flock -n 0 <&9; do
    i=$((i + 1))
    # A guard without a deployment is about to end.
    x=20
    [ ! -e "$O" ] || x=5
    [ "$i" -lt "$x" ] || busy 1
    pause
  done
}
settle() {
  lock_to_settle
  step "$LONG"
  tidy
  if [ ! -e "$O" ]; then
    printf "nothing\n"
    exit 0
  fi
  phase
  if noted "$O"; then
    beside
  else
    case $ph in
    new | none) ;;
    *) fail 1 "$O/head says nothing; put the file back by hand, and remove $O" ;;
    esac
    id=unknown T=$N/none
  fi
  case $ph in
  confirmed)
    finish || exit 1
    printf "kept %s\n" "$id"
    ;;
  new | staged | none) unstage && printf "undone %s\n" "$id" ;;
  *) back && printf "undone %s\n" "$id" ;;
  esac
}
do_settle() {
  place
  if [ ! -e "$N" ]; then
    printf "nothing\n"
    exit 0
  fi
  ours
  settle 8>>"$N/step" 9>>"$N/lock"
}

# The guard of a deployment: started by the script that stages it, away from the session. It has N/lock.
act() {
  step 9999999
  [ -e "$O/try.$TRY" ] || exit 0
  for x in "$O"/beat.*; do
    now=$x
  done
  phase
  noted "$O" || exit 1
  beside
  case $ph in
  confirmed) finish || exit 1 ;;
  restoring) back ;;
  *)
    [ "$now/$ph" = "$last" ] || exit 5
    case $ph in
    armed) back ;;
    *) drop ;;
    esac
    ;;
  esac
  exit 0
}
guard() {
  trap "" HUP
  N=$1 TRY=$2 WITHIN=$3 KEEP=$4 SH=$5 R=$6 RT=$7 U=$8
  O=$N/open
  true >"$O/guard.$$"
  last= n=0 tries=0
  # Each look at the clock is a command.
  nap=$((WITHIN / 20))
  [ "$nap" -gt 0 ] || nap=1
  [ "$nap" -lt 3 ] || nap=3
  while [ -e "$O/try.$TRY" ]; do
    for now in "$O"/beat.*; do
      :
    done
    phase
    if [ "$now/$ph" != "$last" ]; then
      last=$now/$ph n=0
    else
      n=$((n + nap))
    fi
    if [ "$n" -ge "$WITHIN" ] || [ "$ph" = confirmed ] || [ "$ph" = restoring ]; then
      # What fails now may not fail in a moment: a service manager refuses to start what it has started
      # too often for some ten seconds. What is left of the last attempt is for the next run.
      (act 8>>"$N/step") 2>/dev/null
      if [ $? != 5 ] && [ -e "$O/try.$TRY" ]; then
        tries=$((tries + 1))
        [ "$tries" -lt 8 ] || exit 1
        sleep "$tries" 9>&-
      fi
    fi
    sleep "$nap" 9>&-
  done
}

# Puts the new file in the place of the old one.
swap() {
  step "$LONG"
  noted "$O" && [ "$id" = "$ID" ] || fail 1 "the host has given it up: the old file is in its place"
  beside
  phase
  case $ph in
  staged | armed) ;;
  new) fail 1 "it is not staged" ;;
  *) fail 1 "the host goes back to the old file" ;;
  esac
  guarded || fail 1 "the guard was killed"
  states "$O"
  if [ "$ph" = staged ]; then
    marks
    is_still "$was" "$old_mark" || fail 1 "$f was changed by somebody else since it was staged"
    st=$was
    true >"$O/phase.armed" || exit 1
  else
    state "$f"
  fi
  if ! same "$st" "$is"; then
    same "$st" "$was" || fail 1 "$f was changed by somebody else"
    if [ "$is" = none ]; then
      rm -f "$f" || exit 1
    else
      mv -f "$T" "$f" || exit 1
    fi
  fi
  # Whichever of the two a power cut leaves, the next run knows by the file what to do.
  durable "$O" "$d"
  reload || fail 1 "the new file cannot be reloaded: $why"
  [ -z "$R" ] || beat "$B"
}
do_swap() {
  place
  [ -d "$N" ] || fail 1 "the host has no such deployment"
  ours
  swap 8>>"$N/step" || exit 1
}

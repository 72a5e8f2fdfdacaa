# Ends the guard: the new file stays.
confirm() {
  step "$LONG"
  G=
  if noted "$O" && [ "$id" = "$ID" ]; then
    beside
    phase
    guards
    case $ph in
    armed)
      states "$O"
      marks
      is_still "$is" "$new_mark" || fail 1 "$f was changed by somebody else"
      # The rename needs no room at all, and a command.
      true 2>/dev/null >"$O/phase.confirmed" || mv "$O/phase.armed" "$O/phase.confirmed" || exit 1
      ;;
    confirmed) ;;
    restoring) fail 1 "it is too late: the host goes back to the old file" ;;
    *) fail 1 "the new file is not in its place" ;;
    esac
    # It is decided; what cannot be cleared away now the guard clears away, or the next run.
    if ! finish 2>/dev/null; then
      G=
      [ ! -d "$O" ] || durable "$O"
    fi
  else
    [ -d "$N/kept/$ID" ] || fail 1 "it is too late: the host has gone back to the old file"
    durable "$N/kept/$ID" "$N/kept" "$N"
  fi
}
do_confirm() {
  place
  [ -d "$N" ] || fail 1 "the host has no such deployment"
  ours
  confirm 8>>"$N/step" || exit 1
  dismiss
  exit 0
}

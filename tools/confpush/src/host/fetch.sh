# Prints what is there, or what is kept as PIECE of the deployment ID.
do_fetch() {
  place
  if [ -z "$PIECE" ]; then
    file
    [ -e "$f" ] || fail 1 "there is no file $P"
    [ -f "$f" ] || fail 1 "$f is no file"
    cat "$f" || exit 1
  else
    if noted "$O" && [ "$id" = "$ID" ]; then
      f=$O
    else
      f=$N/kept/$ID
    fi
    [ -f "$f/$PIECE" ] || fail 1 "the host keeps no file of deployment $ID"
    ours
    cat "$f/$PIECE" || exit 1
  fi
}

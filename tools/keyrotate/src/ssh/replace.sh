(umask 077
LC_ALL=C
export LC_ALL
fail() { echo "$2" >&2; exit "$1"; }
is() { set -- "$2" $(cksum <"$1"); [ "$2 $3" = "$1" ]; }
f=@FILE@
if [ -L "$f" ]; then f=$(readlink -f "$f") || fail 1 "$f leads nowhere"; fi
d=${f%/*} n=${f##*/}
l=$d/.$n.lock t=$d/.$n.keyrotate-@MARK@
IFS= read -r was && IFS= read -r is || exit 42
[ -d "$d" ] || @FOLDER@
@GUARD@
i=0
again() { i=$((i + 1)); [ $i -lt @TRIES@ ] || fail 41 "$l is locked by another program"; sleep 0.1 2>/dev/null || sleep 1; }
ours=true
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$l" || exit 1
  until flock -n 0 <&9; do again; done
  trap 'rm -f "$t"' 0
  for o in "$d/.$n.keyrotate-"*; do [ ! -f "$o" ] || rm -f "$o"; done
else
  l=$l.by w=keyrotate:$(id -u)
  us=$w:@MARK@:$$
  until ln -s "$us" "$l" 2>/dev/null; do
    [ -w "$d" ] || fail 1 "$d: Permission denied"
    p=$(readlink "$l")
    case $p in
    "$w":*)
      if ! kill -0 "${p##*:}" 2>/dev/null && mv "$l" "$l.$$" 2>/dev/null; then
        q=$(readlink "$l.$$") o=${p%:*}
        o=${o##*:}
        if [ "$q" != "$p" ]; then ln -s "$q" "$l" 2>/dev/null
        else case $o in *[!0-9A-Za-z]*) ;; *) rm -f "$d/.$n.keyrotate-$o" ;; esac; fi
        rm -f "$l.$$"
      fi
    esac
    again
  done
  ours='[ "$(readlink "$l")" = "$us" ]'
  trap 'rm -f "$t"; if eval "$ours"; then rm -f "$l"; fi' 0
fi
trap 'exit 1' HUP INT TERM
m=
if [ -e "$f" ]; then
  [ -f "$f" ] || fail 1 "$f is no file"
  cp -p "$f" "$t" || exit 1
  if [ ! -w "$t" ]; then m=$(stat -c %a "$f") && chmod u+w "$t" || exit 1; fi
else
  (set -C; : >"$t") && chmod @MODE@ "$t" || exit 1
fi
cat >"$t" || exit 1
[ -z "$m" ] || chmod "$m" "$t" || exit 1
is "$t" "$is" || exit 42
sync "$t" 2>/dev/null || sync
@JOIN@
if [ -e "$f" ]; then is "$f" "$was"; else [ "$was" = none ]; fi || exit 40
eval "$ours" || exit 41
mv -f "$t" "$f" || exit 1
[ "$ours" != true ] || trap - 0
sync "$d" 2>/dev/null || sync)

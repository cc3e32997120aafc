#!/bin/bash
# Makes the images that the tests and the CWL conformance suites name, without any image registry, from Debian's packages:
#
#   debian:stable-slim   a minimal Debian            alpine:latest   busybox, no bash
#   python:3-slim        the same with python3       bash:4.4        busybox and bash behind the entrypoint script of that image
#
# They are stand-ins: names and behaviour that the tests rely on, not the versions in their tags.
# An image that exists is left alone; --force makes it again. Needs root, apt, and an engine that `docker` reaches.
# Environment: MIRROR (Debian mirror; default: the one apt uses), SUITE (default: bookworm).
set -euo pipefail

force=no
[ "${1:-}" != --force ] || force=yes
suite=${SUITE:-bookworm}
path='ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

say() { printf 'images: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
wanted() { [ "$force" = yes ] || ! docker image inspect "$1" >/dev/null 2>&1; }

[ "$(id -u)" = 0 ] || die 'must run as root (a root file system is made)'
command -v apt-get >/dev/null || die 'needs apt-get: the images are made of Debian packages'
docker version >/dev/null 2>&1 || die 'no Docker engine answers; start dockerd first'

todo=()
for image in alpine:latest bash:4.4 debian:stable-slim python:3-slim; do
  if wanted "$image"; then todo+=("$image"); fi
done
if [ ${#todo[@]} -eq 0 ]; then
  say 'all there'
  exit 0
fi
say "making ${todo[*]}"

# Packages whose tools make the images; asked for only where missing.
missing=()
for package in mmdebstrap busybox-static bash-static; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  install_missing() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
  install_missing 2>/dev/null || { apt-get update -qq && install_missing; }
fi

scratch=$(mktemp -d)
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT

# Imports the directory $1 as image $2 with the Dockerfile instructions that follow.
import() {
  local root=$1 image=$2 changes=() instruction
  shift 2
  for instruction in "$path" "$@"; do changes+=(-c "$instruction"); done
  tar -C "$root" --one-file-system --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' --exclude='./dev/*' \
    --exclude='./proc/*' --exclude='./sys/*' -c . | docker import "${changes[@]}" - "$image" >/dev/null
  say "made $image"
}

# A root file system of busybox alone, in $1.
busybox_root() {
  local root=$1 applet
  mkdir -p "$root"/{bin,sbin,etc,tmp,root,home,proc,sys,dev,lib,var/tmp,usr/bin,usr/local/bin}
  chmod 1777 "$root/tmp" "$root/var/tmp"
  install -m 755 /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
  done
  ln -sf /bin/env "$root/usr/bin/env"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/false' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
}

if wanted alpine:latest; then
  busybox_root "$scratch/alpine"
  import "$scratch/alpine" alpine:latest 'CMD ["/bin/sh"]'
fi

if wanted bash:4.4; then
  busybox_root "$scratch/bash"
  install -m 755 /bin/bash-static "$scratch/bash/usr/local/bin/bash"
  ln -s /usr/local/bin/bash "$scratch/bash/bin/bash"
  # Options, or nothing, are for bash itself; anything else is a command.
  cat >"$scratch/bash/usr/local/bin/docker-entrypoint.sh" <<'SCRIPT'
#!/usr/bin/env bash
case "${1:--}" in
  -*) exec bash "$@" ;;
  *) exec "$@" ;;
esac
SCRIPT
  chmod 755 "$scratch/bash/usr/local/bin/docker-entrypoint.sh"
  import "$scratch/bash" bash:4.4 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["bash"]'
fi

if wanted debian:stable-slim || wanted python:3-slim; then
  mirror=${MIRROR:-$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+) .*/\2/p' | grep -E '/debian/?$' | head -n 1 || true)}
  [ -n "$mirror" ] || die 'apt names no Debian mirror; set MIRROR'
  say 'unpacking a minimal Debian (about half a minute)'
  TMPDIR=$scratch mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$scratch/debian" "$mirror" >&2
  if wanted debian:stable-slim; then import "$scratch/debian" debian:stable-slim 'CMD ["bash"]'; fi
  if wanted python:3-slim; then
    say 'adding Python'
    DEBIAN_FRONTEND=noninteractive chroot "$scratch/debian" sh -c \
      'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3' >/dev/null 2>&1 || die 'cannot install python3 in the image'
    for name in python python3; do ln -sf /usr/bin/python3 "$scratch/debian/usr/local/bin/$name"; done
    import "$scratch/debian" python:3-slim 'CMD ["python3"]'
  fi
fi
say done

#!/usr/bin/env bash
# Makes the images of distroless that the Dockerfile begins with, of the Debian packages that distroless makes them of,
# where no registry of images can be reached. The lists are those of its repository: static/config.bzl, base/config.bzl,
# cc/config.bzl; the rest is in static/static.bzl and common/BUILD.bazel.
# Usage: distroless.sh DIRECTORY, an empty one; as root on Debian, with Podman.
set -euo pipefail
cd "$1"

static=(base-files netbase tzdata tzdata-legacy media-types)
base_nossl=("${static[@]}" libc6)
cc=("${base_nossl[@]}" libssl3t64 libzstd1 zlib1g libgomp1 libstdc++6 libgcc-s1 gcc-14-base)

# APT for Debian 13, from where this machine has its packages; it installs nothing.
mkdir -p apt/lists/partial apt/cache/archives/partial packages
touch apt/status
# shellcheck source=/dev/null
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # these are APT's variables
uri=$(apt-get indextargets -o APT::Get::IndexTargets=false --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
  awk -v here="$here" '$1 == here { print $2; exit }')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri trixie main" > apt/sources.list
cat > apt/apt.conf <<EOF
Dir::Etc::SourceList "$PWD/apt/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "$PWD/apt";
Dir::State::Status "$PWD/apt/status";
Dir::Cache "$PWD/apt/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
EOF
export APT_CONFIG=$PWD/apt/apt.conf
apt-get -qq update
(cd packages && apt-get -qq download "${cc[@]}" ca-certificates)

dpkg-deb -x packages/ca-certificates_*.deb authorities

# Makes the image of this name, of these packages.
image() {
  local name=$1 package
  shift
  mkdir "$name"
  for package; do dpkg-deb -x packages/"$package"_*.deb "$name"; done
  mkdir -p "$name/etc/ssl/certs"
  cat authorities/usr/share/ca-certificates/mozilla/*.crt > "$name/etc/ssl/certs/ca-certificates.crt"
  echo "hosts: files dns" > "$name/etc/nsswitch.conf"
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin \
    nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin > "$name/etc/passwd"
  printf '%s\n' root:x:0: nobody:x:65534: tty:x:5: staff:x:50: nonroot:x:65532: > "$name/etc/group"
  install -d -o 65532 -g 65532 -m 700 "$name/home/nonroot"
  tar -C "$name" -c . | podman import --quiet \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    --change 'USER 65532' --change 'WORKDIR /home/nonroot' \
    - "gcr.io/distroless/$name-debian13:nonroot"
}

image base-nossl "${base_nossl[@]}"
image cc "${cc[@]}"

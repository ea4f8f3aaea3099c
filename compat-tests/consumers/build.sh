#!/usr/bin/env bash
# build.sh fio|mpich|hdf5|adios2 STAGE: builds an unmodified consumer from Debian's source package against our headers
# and libraries, in a cache outside the tree (DAOS_CONSUMERS, by default ~/.cache/daos-consumers); prints its folder.
# hdf5 and adios2 are built with mpich, which must be there; hdf5 brings h5py in a Python environment of its own.
#
# The consumers see a copy of STAGE at a fixed place, changed only where files differ: a new build of the libraries
# costs nothing, a changed header rebuilds what includes it. Which libraries run is LD_LIBRARY_PATH's choice.
set -euo pipefail
name=$1 stage=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
cache=${DAOS_CONSUMERS:-$HOME/.cache/daos-consumers}
prefix=$cache/prefix
log=$cache/$name.log
mkdir -p "$prefix/include" "$prefix/lib"

exec 9>"$cache/.lock"
flock 9

changed=0
while IFS= read -r -d '' file; do
    if ! cmp -s "$stage/$file" "$prefix/$file"; then
        mkdir -p "$(dirname "$prefix/$file")"
        cp -L "$stage/$file" "$prefix/$file"
        changed=1
    fi
done < <(cd "$stage" && find include lib \( -type f -o -type l \) \( -name '*.h' -o -name '*.so*' \) -print0)

need() { # need PACKAGE...: installs those of Debian's packages that only this consumer wants
    local missing=() sudo=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

fail() {
    echo "$name did not build; the end of $log:" >&2
    tail -40 "$log" >&2
    exit 1
}

case $name in
fio)
    dir=$cache/fio
    "$here/../../scripts/debian-source.sh" fio "$dir" >&2
    cd "$dir"
    if [ ! -f config-host.mak ] || ! grep -q CONFIG_DFS config-host.mak; then
        LDFLAGS="-L$prefix/lib" ./configure --extra-cflags="-I$prefix/include" >"$log" 2>&1 || fail
        grep -q 'DAOS File System (dfs) Engine *yes' "$log" || fail
    fi
    [ "$changed" = 0 ] || touch engines/dfs.c
    nice make -j2 fio >>"$log" 2>&1 || fail
    ;;
mpich)
    dir=$cache/mpich
    "$here/../../scripts/debian-source.sh" mpich "$dir" >&2
    cd "$dir"
    if [ ! -f config.status ]; then
        CFLAGS=-O1 nice ./configure --prefix="$cache/mpich-install" --with-device=ch3:sock --disable-fortran --disable-cxx \
            --with-hwloc=embedded --with-file-system=ufs+daos --with-daos="$prefix" --disable-dependency-tracking \
            >"$log" 2>&1 || fail
    fi
    headers=$(cat $(find "$prefix/include" -name '*.h' | sort) | sha256sum | cut -d' ' -f1)
    if [ "$(cat .headers 2>/dev/null)" != "$headers" ] && [ -f .headers ]; then
        nice make -C src/mpi/romio clean >>"$log" 2>&1 || fail
    fi
    if [ "$(cat .headers 2>/dev/null)" != "$headers" ] || [ ! -x "$cache/mpich-install/bin/mpiexec" ]; then
        nice make -j2 >>"$log" 2>&1 || fail
        nice make install >>"$log" 2>&1 || fail
        echo "$headers" >.headers
    fi
    dir=$cache/mpich-install
    ;;
hdf5)
    # One build for every number of ranks: the connector wants HDF5 with MPI and with map objects, and h5py the
    # high-level library. Nothing of it includes our headers; libmpi needs our libraries, wherever it is linked.
    need zlib1g-dev python3-venv python3-dev
    dir=$cache/hdf5-install mpi=$cache/mpich-install source=$cache/hdf5
    "$here/../../scripts/debian-source.sh" hdf5 "$source" trixie >&2
    export LD_LIBRARY_PATH=$prefix/lib LDFLAGS="-Wl,-rpath-link,$prefix/lib"
    if [ ! -f "$dir/.done" ]; then
        mkdir -p "$cache/hdf5-build"
        cd "$cache/hdf5-build"
        CC=$mpi/bin/mpicc CFLAGS=-O1 nice -n 10 "$source/configure" --prefix="$dir" --enable-parallel --enable-map-api \
            --disable-static --enable-shared --enable-hl --disable-tests --with-zlib --disable-dependency-tracking \
            >"$log" 2>&1 || fail
        nice -n 10 make -j2 >>"$log" 2>&1 || fail
        nice -n 10 make install >>"$log" 2>&1 || fail
        touch "$dir/.done"
    fi
    # HDF5's own tests: of its API, for any connector, and of parallel files. Only CMake would build the former.
    if [ ! -x "$dir/bin/testphdf5" ]; then
        mkdir -p "$cache/hdf5-build/api"
        cd "$cache/hdf5-build/api"
        sed 's/^#cmakedefine.*//' "$source/test/API/H5_api_test_config.h.in" >H5_api_test_config.h
        flags=(-O1 -w -fcommon -DH5_API_TEST_HAVE_ASYNC -I. -I../test -I../src "-I$dir/include")
        for folder in src src/H5FDsubfiling test test/API testpar testpar/API; do flags+=("-I$source/$folder"); done
        libraries=("-L$dir/lib" -lhdf5 -lm "-Wl,-rpath,$dir/lib" "-Wl,-rpath-link,$prefix/lib")
        common=("$source/test/h5test.c" "$source/test/testframe.c")
        nice -n 10 "$mpi/bin/mpicc" "${flags[@]}" -o "$dir/bin/h5_api_test" "$source"/test/API/*.c "${common[@]}" \
            "${libraries[@]}" >>"$log" 2>&1 || fail
        nice -n 10 "$mpi/bin/mpicc" "${flags[@]}" -o "$dir/bin/h5_api_test_parallel" "$source"/testpar/API/*.c \
            "$source/test/API/H5_api_test_util.c" "${common[@]}" "${libraries[@]}" >>"$log" 2>&1 || fail
        parallel=$(sed -n '/^testphdf5_SOURCES/,/^$/p' "$source/testpar/Makefile.am" | grep -oE '[a-z0-9_]+\.c')
        nice -n 10 "$mpi/bin/mpicc" "${flags[@]}" -o "$dir/bin/testphdf5" $(printf "$source/testpar/%s " $parallel) "${common[@]}" \
            "${libraries[@]}" >>"$log" 2>&1 || fail
    fi
    if [ ! -f "$dir/python/.done" ]; then
        python3 -m venv "$dir/python" >>"$log" 2>&1 || fail
        CC=$mpi/bin/mpicc LDFLAGS="$LDFLAGS -Wl,-rpath,$dir/lib" HDF5_DIR=$dir \
            nice -n 10 "$dir/python/bin/pip" install --no-binary h5py h5py==3.16.0 >>"$log" 2>&1 || fail
        touch "$dir/python/.done"
    fi
    ;;
adios2)
    # The archive's tarball comes without the third-party sources that Debian has as packages. Everything that ADIOS2
    # can leave out is off; its core uses MPI for the DAOS engine, which its own CMake files forget to say.
    need cmake libgtest-dev libpugixml-dev libyaml-cpp-dev nlohmann-json3-dev
    dir=$cache/adios2-build mpi=$cache/mpich-install source=$cache/adios2
    "$here/../../scripts/debian-source.sh" adios2 "$source" trixie >&2
    export LD_LIBRARY_PATH=$prefix/lib
    mkdir -p "$dir"
    cd "$dir"
    if [ ! -f Makefile ]; then
        # EVPath's own enet transport, off here, is all that enet is for; Debian's enet has no CMake file.
        mkdir -p enet
        echo 'set(enet_VERSION 1.3.13)' >enet/enet-config.cmake
        options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-O1 -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DBUILD_TESTING=ON
            -DADIOS2_BUILD_EXAMPLES=OFF -DADIOS2_USE_MPI=ON -DADIOS2_USE_DAOS=ON "-DDAOS_ROOT=$prefix"
            "-DCMAKE_C_COMPILER=$mpi/bin/mpicc" "-DMPI_C_COMPILER=$mpi/bin/mpicc" "-DMPI_CXX_COMPILER=$mpi/bin/mpicc"
            -DMPI_CXX_SKIP_MPICXX=ON "-DCMAKE_CXX_FLAGS=-I$mpi/include" -DEVPATH_USE_ENET=OFF "-Denet_DIR=$dir/enet")
        for library in GTEST PUGIXML YAMLCPP NLOHMANN_JSON ENET; do options+=("-DADIOS2_USE_EXTERNAL_$library=ON"); done
        for part in Blosc2 BZip2 ZFP SZ LIBPRESSIO MGARD PNG DataMan DataSpaces MHS SST ZeroMQ HDF5 HDF5_VOL IME Python \
            Fortran UCX Sodium Catalyst Campaign AWSSDK Derived_Variable; do options+=("-DADIOS2_USE_$part=OFF"); done
        for kind in EXE SHARED; do
            options+=("-DCMAKE_${kind}_LINKER_FLAGS=-Wl,-rpath-link,$prefix/lib -L$mpi/lib -Wl,-rpath,$mpi/lib \
-Wl,--no-as-needed -lmpi -Wl,--as-needed")
        done
        nice -n 10 cmake "$source" "${options[@]}" >"$log" 2>&1 || { rm -f Makefile && fail; }
        grep -q 'DAOS *: ON' "$log" || fail
    fi
    nice -n 10 make -j2 Test.Engine.BP.WriteReadAsStreamADIOS2.MPI TestCommonWrite TestCommonRead \
        >>"$log" 2>&1 || fail
    g++ -std=c++17 -O1 -shared -fPIC "-I$prefix/include" -o "$dir/lib/adios2_init.so" "$here/adios2_init.cpp" \
        "-L$prefix/lib" -ldaos >>"$log" 2>&1 || fail
    ;;
*)
    echo "build.sh: no consumer named $name (fio, mpich, hdf5, adios2)" >&2
    exit 1
    ;;
esac
echo "$dir"

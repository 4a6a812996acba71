"""`@system//:NAME`: cc_library targets for the libraries of Debian packages.

The flags come from pkg-config. The headers lie in /usr/include, which the
compiler searches anyway, so a target is only defines and link options.
"""

# target: (pkg-config modules, link options no .pc file knows, defines)
_LIBRARIES = {
    "absl": (
        [
            "absl_" + module
            for module in [
                "any_invocable",
                "base",
                "bind_front",
                "btree",
                "cleanup",
                "cord",
                "core_headers",
                "fixed_array",
                "flags",
                "flags_parse",
                "flags_usage",
                "flat_hash_map",
                "flat_hash_set",
                "function_ref",
                "hash",
                "inlined_vector",
                "int128",
                "memory",
                "node_hash_map",
                "node_hash_set",
                "random_random",
                "span",
                "status",
                "statusor",
                "str_format",
                "strings",
                "symbolize",
                "time",
            ]
        ],
        [],
        [],
    ),
    "archive": (["libarchive"], [], []),
    "curl": (["libcurl"], [], []),
    # Debian ships the reflection library but no .pc file for it.
    "grpc++": (["grpc++"], ["-lgrpc++_reflection"], []),
    "gtest": (["gtest"], [], []),
    "gmock": (["gmock"], [], []),
    "gtest_main": (["gmock_main"], [], []),
    "microhttpd": (["libmicrohttpd"], [], []),
    "openssl": (["openssl"], [], []),
    "protobuf": (["protobuf"], [], []),
    "re2": (["re2"], [], []),
    # SPDLOG_COMPILED_LIB and SPDLOG_FMT_EXTERNAL must come from the .pc file:
    # without them the headers clash with the packaged library.
    "spdlog": (["spdlog"], [], []),
    "tcmalloc": (["libtcmalloc_minimal"], [], []),
    "yaml_cpp": (["yaml-cpp"], [], []),
    "zlib": (["zlib"], [], []),
}

_TARGET = """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
)
"""

def _pkg_config(repository_ctx, what, modules):
    result = repository_ctx.execute(["/usr/bin/pkg-config", what] + modules)
    if result.return_code != 0:
        fail("pkg-config %s %s: %s (run `make setup`)" %
             (what, " ".join(modules), result.stderr))
    return [flag for flag in result.stdout.split(" ") if flag.strip()]

def _last_of_each(flags):
    # pkg-config repeats every transitive library once per module: 400 words
    # on each link line. The last occurrence is the one that decides.
    # Bracketing options (push-state) keep their places; they are not repeated.
    seen = {}
    kept = []
    for flag in reversed(flags):
        flag = flag.strip()
        if flag.startswith("-l"):
            if flag in seen:
                continue
            seen[flag] = True
        elif flag == "-Wl,--as-needed" or "-state" in flag or flag == "-latomic":
            continue
        kept.append(flag)
    return reversed(kept)

def _system_libraries_impl(repository_ctx):
    build = [
        "load(\"@rules_cc//cc:defs.bzl\", \"cc_library\")",
        "package(default_visibility = [\"//visibility:public\"])",
    ]
    for name, (modules, extra, defines) in _LIBRARIES.items():
        cflags = _pkg_config(repository_ctx, "--cflags", modules)
        libs = _pkg_config(repository_ctx, "--libs", modules)
        defines = defines + [
            flag.strip()[2:]
            for flag in cflags
            if flag.startswith("-D") and flag != "-DNOMINMAX"
        ]
        build.append(_TARGET.format(
            name = name,
            defines = repr(defines),
            linkopts = repr(extra + _last_of_each(libs)),
        ))
    repository_ctx.file("BUILD", "\n".join(build))

system_libraries = repository_rule(
    implementation = _system_libraries_impl,
    doc = "One cc_library for each entry of _LIBRARIES.",
    local = True,
    configure = True,
)

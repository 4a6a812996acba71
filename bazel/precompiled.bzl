"""Precompiled headers: what the libraries outside this project bring is parsed
once for each configuration and not once for each of some 600 files. Cold, that
is a third of a build.

g++ takes a precompiled header only where it was compiled with the same options
as the file that includes it; otherwise it silently reads the header itself. So
`copts` here and there must agree. Sources include what they use all the same:
clang-tidy, which runs without these, would tell (see clang_tidy.bzl).
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )

    # Beside its source it would be found in the source's folder, where no
    # precompiled one lies.
    header = ctx.actions.declare_file(ctx.label.name + "_precompiled.h")
    ctx.actions.symlink(output = header, target_file = ctx.file.header)
    precompiled = ctx.actions.declare_file(header.basename + ".gch")

    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = header.path,
        output_file = precompiled.path,
        preprocessor_defines = context.defines,
        quote_include_directories = depset(["."]),
        # Bazel compiles position-independent code for all but the optimised
        # binaries.
        use_pic = ctx.var["COMPILATION_MODE"] != "opt",
        user_compile_flags = ctx.fragments.cpp.copts +
                             ctx.fragments.cpp.cxxopts + ctx.attr.copts +
                             ["-x", "c++-header"],
    )
    action = ACTION_NAMES.cpp_compile
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = action,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = action,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = action,
            variables = variables,
        ),
        inputs = depset(
            [header] + ctx.files.srcs,
            transitive = [toolchain.all_files],
        ),
        outputs = [precompiled],
        mnemonic = "KinoraPrecompiledHeader",
        progress_message = "Precompiling %s" % header.short_path,
    )
    return [CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset([header, precompiled]),
    ))]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    attrs = {
        "header": attr.label(allow_single_file = [".h"], mandatory = True),
        "srcs": attr.label_list(
            allow_files = [".h"],
            doc = "What `header` includes of this project.",
        ),
        "copts": attr.string_list(doc = "Those of the files that include it."),
        "deps": attr.label_list(providers = [CcInfo]),
        "_cc_toolchain": attr.label(
            default = "@bazel_tools//tools/cpp:current_cc_toolchain",
        ),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
    doc = "To be included as \"PACKAGE/NAME_precompiled.h\" by `-include`.",
)

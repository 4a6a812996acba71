"""clang-tidy and clang's thread-safety analysis, one cached action a file.

    bazel build --config=lint //...
    bazel build --config=lint --define=lint=tests //...   the tests too

Each action parses its file with clang 14, which also shows C++20 that g++ 12
takes and clang does not, and reports through clang-tidy: its checks, clang's
warnings and -Wthread-safety, all as errors. One parse serves all of it, as
parsing is most of the cost. Headers are checked where they are included. Tests are a
third of all files and are left out unless asked for: cold, the gates have to
fit an hour of two cores together with everything else.
"""

_FLAGS = [
    "-xc++",
    "-std=c++20",
    "-fsyntax-only",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wthread-safety",
    "-Wthread-safety-beta",
    "-Wno-missing-field-initializers",
]

_RULES = ["cc_binary", "cc_library"]

def _context(target, ctx):
    infos = [dep[CcInfo] for dep in ctx.rule.attr.deps if CcInfo in dep]
    if CcInfo in target:
        infos.append(target[CcInfo])
    return cc_common.merge_cc_infos(cc_infos = infos).compilation_context

def _lint(ctx, source, context):
    report = ctx.actions.declare_file(
        "%s.%s.tidy" % (ctx.label.name, source.basename),
    )
    flags = _FLAGS + ["-D" + define for define in context.defines.to_list()]
    for option, paths in [
        ("-iquote", context.quote_includes),
        ("-I", context.includes),
        ("-isystem", context.system_includes),
    ]:
        for path in paths.to_list():
            flags += [option, path]
    ctx.actions.run(
        executable = ctx.executable._runner,
        inputs = depset(
            [source, ctx.file._config],
            transitive = [context.headers],
        ),
        outputs = [report],
        arguments = [report.path, ctx.file._config.path, source.path] + flags,
        mnemonic = "ClangTidy",
        progress_message = "Linting %s" % source.short_path,
        use_default_shell_env = True,
    )
    return report

def _clang_tidy_impl(target, ctx):
    reports = []
    rules = _RULES + (["cc_test"] if ctx.var.get("lint") == "tests" else [])
    if (ctx.rule.kind in rules and not ctx.label.workspace_name and
        "generated" not in ctx.rule.attr.tags):
        context = _context(target, ctx)
        # A private header is input of its target alone.
        reports = [
            _lint(ctx, source, context)
            for source in ctx.rule.files.srcs
            if source.extension == "cc"
        ]
    return [OutputGroupInfo(lint = depset(reports))]

clang_tidy_aspect = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_config": attr.label(
            default = "//:.clang-tidy",
            allow_single_file = True,
        ),
        "_runner": attr.label(
            default = "//bazel:clang_tidy.sh",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
    },
)

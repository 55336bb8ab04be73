"""What a person starts and waits for: benchmark, optimise, convert, quantize, verify.

They return plain data; `cli` and `server` show it.

The parent never loads native code. Each provider, candidate and contestant lives in a child of its own:

    inputs       what to feed a model, and at which sizes            (child)
    providers    the provider that was asked for, or a refusal       (child)
    contest      one model on one provider, timed in short bursts    (child)
    pipelines    the optimiser stages                                (child)
    verify       checker, interface and outputs of a candidate       (child)
    rewrites     another opset, quantized weights                    (child)
    crew         the children of one action, and how to cancel it
    measure      interleaved rounds with an A-A control
    stats        ratios and their intervals
    proof        the original, and what is held against it
    publish      puts a finished model in its place
    remember     writes sizes of dimensions into the configuration
    bench, optimize, rewrite   what is asked for, and what came of it
    report_*, words, charts    what is said about it
"""

import torch as th


class Masked(th.nn.Module):
    def forward(self, x, mask, scale):
        return x.masked_fill(mask < 0, 0.0) * scale


BATCH = 2
options = {"output_names": ["masked"]}
x, mask = th.zeros(BATCH, 16), th.ones((BATCH, 16))
th.onnx.export(Masked().eval(), (x,), "model.onnx", kwargs={"mask": mask, "scale": th.ones(16)}, **options)

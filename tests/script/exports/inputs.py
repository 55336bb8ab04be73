import argparse

import torch


class Mixer(torch.nn.Module):
    def forward(self, table, ids, features):
        return table[ids] + features, ids * 2


parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=1)
args = parser.parse_args()

table = torch.randn(100, 8)  # shared by the whole batch
ids = torch.randint(0, 100, (args.batch_size,))
features = torch.zeros(size=(args.batch_size, 8))
torch.onnx.export(Mixer().eval(), (ids, features)[::-1][:0] + (table, ids, features), "model.onnx",
                  input_names=["table", "ids", "features"])

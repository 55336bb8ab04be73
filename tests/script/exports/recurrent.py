import torch


class Tagger(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.GRU(6, 5, num_layers=2, batch_first=True)
        self.out = torch.nn.Linear(5, 3)

    def forward(self, tokens, h0):
        y, hn = self.rnn(tokens, h0)
        return self.out(y), hn


net = Tagger()
net.train(False)
inputs = [torch.randn(1, 7, 6), torch.zeros(2, 1, 5)]
torch.onnx.export(net, tuple(inputs), "model.onnx", input_names=["tokens", "h0"], output_names=["tags", "hn"])

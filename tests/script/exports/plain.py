import torch

model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4)).eval()
x = torch.randn(1, 3, 4)
torch.onnx.export(model, x, "model.onnx")

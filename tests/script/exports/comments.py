import torch

net = torch.nn.Linear(4, 2).eval()
if True:
	torch.onnx.export(net,  # the trained network
	                  torch.ones([1, 4]),  # one row
	                  "model.onnx"  # beside the script
	                  )

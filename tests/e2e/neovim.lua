-- Drives a real Neovim (0.7 and newer) as a person would: open a script, read the findings, take a quick fix, save.
-- In the environment: ONNX_LSP, the server's command as JSON; ONNX_CODE and ONNX_FIX, the finding and the fix to take;
-- ONNX_SEEN, a file for the findings before and after, as JSON.

local PATIENCE = 30000 -- milliseconds

local function stop(message)
  io.stderr:write(message .. "\n")
  vim.cmd("cquit 1")
end

local function wait_for(what, condition)
  if not vim.wait(PATIENCE, condition, 20) then
    stop("never came: " .. what)
  end
end

local function find(code)
  for _, item in ipairs(vim.diagnostic.get(0)) do
    if item.code == code then
      return item
    end
  end
end

local function codes()
  return vim.tbl_map(function(item)
    return item.code
  end, vim.diagnostic.get(0))
end

vim.ui.select = function(actions, _, choose)
  local titles = {}
  for _, action in ipairs(actions) do
    table.insert(titles, action[2].title)
    if action[2].title == vim.env.ONNX_FIX then
      return choose(action)
    end
  end
  stop("no such action; offered: " .. table.concat(titles, " | "))
end

vim.bo.filetype = "python"
local client = vim.lsp.start_client({
  name = "onnx-lsp",
  cmd = vim.fn.json_decode(vim.env.ONNX_LSP),
  root_dir = vim.fn.getcwd(),
})
vim.lsp.buf_attach_client(0, client)

wait_for(vim.env.ONNX_CODE, function()
  return find(vim.env.ONNX_CODE)
end)
local before = codes()
local finding = find(vim.env.ONNX_CODE)
vim.api.nvim_win_set_cursor(0, { finding.lnum + 1, finding.col })
vim.lsp.buf.code_action()
wait_for("the edit", function()
  return vim.bo.modified
end)
wait_for("findings without " .. vim.env.ONNX_CODE, function()
  return not find(vim.env.ONNX_CODE)
end)
vim.cmd("write")
vim.fn.writefile({ vim.fn.json_encode({ before = before, after = codes() }) }, vim.env.ONNX_SEEN)
vim.cmd("qall!")

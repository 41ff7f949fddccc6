-- Sends requests with the tokens of the file TOKENS in turn, and prints the result as JSON.
-- With proofs in the file PROOFS, each request has the next of them, and its token has the scheme DPoP.
local function read(name)
  local lines = {}
  for line in io.lines(os.getenv(name)) do
    lines[#lines + 1] = line
  end
  return lines
end
local tokens, proofs = read("TOKENS"), read("PROOFS")
local sent = 0

request = function()
  sent = sent + 1
  local headers = { Host = "localhost" }
  if #tokens > 0 then
    local scheme = #proofs > 0 and "DPoP " or "Bearer "
    headers.Authorization = scheme .. tokens[(sent - 1) % #tokens + 1]
    headers.DPoP = proofs[sent]  -- after the last one there is none, which is an error in the result
  end
  return wrk.format("GET", nil, headers)
end

done = function(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end

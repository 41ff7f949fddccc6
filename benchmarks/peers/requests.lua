-- Sends requests with the tokens of the file TOKENS in turn, and prints the result as JSON.
local tokens = {}
for line in io.lines(os.getenv("TOKENS")) do
  tokens[#tokens + 1] = line
end
local sent = 0

request = function()
  sent = sent + 1
  local headers = { Host = "localhost" }
  if #tokens > 0 then
    headers.Authorization = "Bearer " .. tokens[(sent - 1) % #tokens + 1]
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

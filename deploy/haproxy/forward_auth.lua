-- Sends a subrequest to the service for each request, and lets the request pass only if the service responds 200.

local SERVICE = "http://127.0.0.1:8080/auth/"
local TIMEOUT = 5000 -- milliseconds
local IDENTITY = { "x-auth-subject", "x-auth-client-id", "x-auth-scopes" }
local NOT_PASSED_ON = { ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

-- Fields of the client that are about its connection and the response, or that only the proxy may send.
local NOT_SENT = {
    ["accept-encoding"] = true,
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["forwarded"] = true,
    ["keep-alive"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
    ["x-original-method"] = true,
    ["x-original-uri"] = true,
}

local function values(fields)
    local list = {}
    local index = fields[0] and 0 or 1 -- HAProxy counts from 0, its HTTP client from 1
    while fields[index] ~= nil do
        list[#list + 1] = fields[index]
        index = index + 1
    end
    return list
end

local function respond(txn, status, headers, body)
    local reply = txn:reply { status = status, body = body }
    for name, fields in pairs(headers) do
        if not NOT_PASSED_ON[name] then
            for _, value in ipairs(values(fields)) do
                reply:add_header(name, value)
            end
        end
    end
    txn:done(reply)
end

local function forward_auth(txn, gate)
    local headers = {}
    for name, fields in pairs(txn.http:req_get_headers()) do
        if not NOT_SENT[name] then
            headers[name] = values(fields)
        end
    end
    local host = txn.f:req_hdr("host")
    headers["x-forwarded-for"] = { txn.f:src() }
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    headers["x-forwarded-host"] = { host }
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-uri"] = { txn.f:pathq() }
    local response = core.httpclient():get { url = SERVICE .. gate, headers = headers, timeout = TIMEOUT }
    if not response or response.status ~= 200 then
        local is_error = response and response.status >= 400
        return respond(txn, is_error and response.status or 503, is_error and response.headers or {},
                       is_error and response.body or "")
    end
    for _, name in ipairs(IDENTITY) do
        local fields = response.headers[name]
        if not fields then
            return respond(txn, 500, {}, "the service reports no identity\n")
        end
        txn.http:req_set_header(name, values(fields)[1])
    end
    txn:set_var("txn.is_allowed", true) -- HAProxy forwards the request after an error in a script, too
end

core.register_action("forward_auth", { "http-req" }, forward_auth, 1)

-- wrk: creates 1:1 calls between people who never meet again. SPDX-License-Identifier: MIT
local key = os.getenv("TGO_KEY")
local n = 0
local thread = 0
function setup(t) thread = thread + 1; t:set("id", thread) end
function init() math.randomseed(os.time() * 1000 + id); run = math.random(1, 2 ^ 30) end
function request()
	n = n + 1
	local who = run .. "-" .. id .. "-" .. n
	return wrk.format("POST", "/api/v1/rooms", { ["Authorization"] = "Bearer " .. key,
		["Content-Type"] = "application/json" },
		string.format('{"creator":"c%s","uids":["d%s"],"device_type":"app"}', who, who))
end
function response(status) if status ~= 200 then bad = (bad or 0) + 1 end end
function done(summary, latency)
	io.write(string.format("p50_ms %.2f p99_ms %.2f errors %d\n", latency:percentile(50) / 1000,
		latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect +
		summary.errors.read + summary.errors.timeout))
end

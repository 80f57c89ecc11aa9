-- wrk: GETs the path as an API key. SPDX-License-Identifier: MIT
local key = os.getenv("TGO_KEY")
function request() return wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. key }) end
function done(summary, latency)
	io.write(string.format("p50_ms %.2f p99_ms %.2f errors %d\n", latency:percentile(50) / 1000,
		latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect +
		summary.errors.read + summary.errors.timeout))
end

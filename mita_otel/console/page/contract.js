/**
 * What the console answers, as types; no code. Times and durations are whole microseconds.
 *
 * @typedef {Record<string, string>} Labels
 *
 * @typedef {object} TraceSummary
 * @property {string} traceID
 * @property {string} service      of the root span, or of the earliest one while the root is missing
 * @property {string} operation
 * @property {number} start
 * @property {number} duration
 * @property {number} spans
 * @property {number} errors
 * @property {{name: string, spans: number}[]} services
 *
 * @typedef {{key: string, type?: string, value: unknown}} Tag
 * @typedef {{refType: string, traceID: string, spanID: string}} Reference
 *
 * @typedef {object} JaegerSpan
 * @property {string} spanID
 * @property {string} operationName
 * @property {Reference[]} [references]
 * @property {number} startTime
 * @property {number} duration
 * @property {Tag[]} [tags]
 * @property {{timestamp: number, fields: Tag[]}[]} [logs]
 * @property {string} processID
 * @property {string[] | null} [warnings]
 *
 * @typedef {{serviceName: string, tags?: Tag[]}} Process
 * @typedef {{traceID: string, spans: JaegerSpan[], processes: Record<string, Process>, warnings?: string[] | null}} JaegerTrace
 * @typedef {{spanID: string, start: number, end: number}} Section
 * @typedef {object} TraceExemplar
 * @property {string} instrument
 * @property {string} service
 * @property {Labels} attributes
 * @property {number} time
 * @property {number} value
 * @property {string} spanID
 *
 * @typedef {object} TraceAnswer
 * @property {JaegerTrace} trace
 * @property {Section[]} critical_path
 * @property {number} duplicates
 * @property {string[]} missing_parents
 * @property {TraceExemplar[]} exemplars
 *
 * @typedef {object} LogRecord
 * @property {number} id
 * @property {number} time
 * @property {number} severity     1 to 24, 0 if not given
 * @property {string} severity_text
 * @property {string} service
 * @property {string} scope
 * @property {unknown} body
 * @property {string | null} trace_id
 * @property {string | null} span_id
 * @property {Record<string, unknown>} attributes
 * @property {Record<string, unknown>} resource
 *
 * @typedef {object} Instrument
 * @property {string} name
 * @property {string} unit
 * @property {string} description
 * @property {string} kind
 * @property {boolean} monotonic
 * @property {string[]} services
 * @property {number} series
 * @property {Record<string, string[]>} attributes
 *
 * @typedef {[number, number | null]} Point
 * @typedef {{labels: Labels, points: Point[]}} Series
 * @typedef {{time: number, value: number, trace_id: string, span_id: string, labels: Labels}} Exemplar
 * @typedef {{name: string, unit: string, kind: string, monotonic?: boolean, series: Series[], exemplars: Exemplar[]}} MetricAnswer
 *
 * @typedef {object} ServiceRow
 * @property {string} name
 * @property {number} rate         calls a second
 * @property {number} error_rate   0 to 1
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number | null} p99
 *
 * @typedef {object} Route
 * @property {string} operation
 * @property {string} kind
 * @property {number} rate
 * @property {number} error_rate
 * @property {number} calls
 * @property {number} errors
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number | null} p99
 *
 * @typedef {object} Minute
 * @property {number} minute       its number or its start; see `minuteStart`
 * @property {number} calls
 * @property {number} errors
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number | null} p99
 *
 * @typedef {{name: string, kind: string, calls: number, errors: number}} MapNode
 * @typedef {{caller: string, callee: string, calls: number, errors: number}} MapEdge
 * @typedef {{nodes: MapNode[], edges: MapEdge[]}} MapAnswer
 *
 * @typedef {Record<string, number>} Tally  numbers by what they are of, such as a state
 *
 * @typedef {object} Change        of a state, told in the log
 * @property {number} time
 * @property {string} before       empty for none
 * @property {string} after
 * @property {string} reason
 * @property {string | null} trace_id
 * @property {string[]} [causes]   ids of traces
 *
 * @typedef {object} Breaker
 * @property {string} service
 * @property {string} name
 * @property {Tally} states        processes by the state that they are in
 * @property {Tally} calls         by outcome
 * @property {Tally} seconds       by state
 * @property {number} would_reject
 * @property {Change[]} changes    newest first
 *
 * @typedef {{service: string, policy: string, requests: Tally, utilization: number | null}} Limit
 * @typedef {{service: string, states: Tally, replicas: number | null}} Backend
 *
 * @typedef {object} Retried
 * @property {string} service
 * @property {string} dependency
 * @property {number} calls
 * @property {Tally} attempts      by outcome
 * @property {number | null} amplification
 * @property {Tally} exhausted     by reason
 * @property {number} waited       seconds
 * @property {number | null} budget
 *
 * @typedef {{service: string, scopes: Tally}} Timeouts
 * @typedef {{service: string, name: string, modes: Tally, served: Tally, changes: Change[]}} Feature
 * @typedef {{service: string, key: string, variants: Tally, reasons: Tally}} Flag
 * @typedef {{heard: Record<string, number>, breakers: Breaker[], limits: Limit[], backends: Backend[], retries: Retried[], timeouts: Timeouts[], features: Feature[], flags: Flag[]}} ResilienceAnswer
 *
 * @typedef {{name: string, levels: Tally, response_ms: number | null, failures: number, changes: Change[]}} Check
 * @typedef {{name: string, heard: number, levels: Tally, ready: Tally, checks: Check[]}} ServiceHealth
 *
 * @typedef {object} ErrorGroup
 * @property {string} service
 * @property {string} fingerprint
 * @property {string} type
 * @property {string} code
 * @property {string} category
 * @property {string} severity
 * @property {string} route
 * @property {number} errors
 * @property {number[]} trend      errors by part of the window
 * @property {number} first
 * @property {number} last
 * @property {string[]} traces
 * @property {number[]} alerts     times, newest first
 *
 * @typedef {{groups: ErrorGroup[], left_out: number, start: number, step: number, since: number}} ErrorsAnswer
 *
 * @typedef {object} Slo           an objective of a service
 * @property {string} id
 * @property {string} title
 * @property {string} service
 * @property {string} part         of the service; this and the next four are empty where they are not told
 * @property {string} owner
 * @property {string} tier
 * @property {string} type
 * @property {string} period
 * @property {number} period_seconds
 * @property {number | null} objective
 * @property {string} state
 * @property {boolean | null} compliant
 * @property {number | null} sli
 * @property {number} good
 * @property {number} bad
 * @property {number} total
 * @property {number} coverage     0 to 1
 * @property {number} since
 * @property {number} heard
 * @property {boolean} measurable
 * @property {Record<"allowed_ratio" | "allowed_events" | "consumed_ratio" | "remaining_ratio" | "remaining_events" | "remaining_minutes", number | null>} error_budget
 * @property {Record<string, number | null>} burn_rate  by window
 * @property {{severity: string, long: string, short: string, factor: number, state: string}[]} alerts
 * @property {number | null} countdown_seconds
 * @property {string | null} policy_stage
 * @property {string | null} recommended_action
 * @property {string[]} actions
 * @property {(number | null)[]} trend
 *
 * @typedef {{objectives: Slo[], left_out: number, tiers: string[], owners: string[], parts: string[], start: number, step: number}} SloAnswer
 * @typedef {{end: number, remaining: number | null, good: number | null, bad: number | null}} BurnPart
 * @typedef {{contributor: string, bad: number, share: number | null, spent_ratio: number | null, traces: {trace_id: string, time: number}[]}} Contributor
 * @typedef {{dimension: string, bad: number, contributors: Contributor[], left_out: number}} Dimension
 *
 * @typedef {object} SpendingAnswer
 * @property {Slo} objective
 * @property {{start: number, left_at_start: number | null, parts: BurnPart[]}} burn_down
 * @property {Dimension[]} ledger
 * @property {{sli: number | null, remaining: number | null, time: number} | null} told  of all replicas
 * @property {{name: string, above: number | null}[]} stages  from the best to the worst, which has no bound
 * @property {number} now
 *
 * @typedef {object} Status
 * @property {string} version
 * @property {number} started
 * @property {number} spans
 * @property {number} records
 * @property {number} points
 * @property {number} size         bytes
 * @property {number} max_size     bytes
 * @property {number} max_age      seconds
 * @property {number | null} oldest
 * @property {Record<string, number>} counters
 * @property {string} notice
 */

export {};

variable "region" {
  description = "Region of the workspaces; bus, rule and target are in the same one. The same value as DWGATE_REGION."
  type        = string
}

variable "name" {
  description = "Name of the custom bus, and the beginning of the names of everything else."
  type        = string
  default     = "dwgate"
}

variable "bus" {
  description = "custom: a bus of its own, for extension points of workspaces. default: the account's bus, for extension points of the tenant."
  type        = string
  default     = "custom"

  validation {
    condition     = contains(["custom", "default"], var.bus)
    error_message = "Expected custom or default."
  }
}

variable "source_type" {
  description = "http: EventBridge sends requests to ingest. amqp: it writes to a queue of ApsaraMQ for RabbitMQ, for dwgate ingest --source amqp."
  type        = string
  default     = "http"

  validation {
    condition     = contains(["http", "amqp"], var.source_type)
    error_message = "Expected http or amqp."
  }
}

variable "ingest_url" {
  description = "With http: URL of ingest, such as https://gate.example.com/events. The same text as in DWGATE_EVENTBRIDGE_TARGET_URLS."
  type        = string
  default     = null
}

variable "token" {
  description = "With http: the token of the target, at least 24 random characters without a comma. The same as in DWGATE_EVENTBRIDGE_TOKENS."
  type        = string
  default     = null
  sensitive   = true
}

variable "rabbitmq_instance" {
  description = "With amqp: id of an existing instance of ApsaraMQ for RabbitMQ in this region."
  type        = string
  default     = null
}

variable "rabbitmq_vhost" {
  description = "With amqp: virtual host of the queue; it is created."
  type        = string
  default     = "dwgate"
}

variable "rabbitmq_queue" {
  description = "With amqp: the queue; it is created. The same name as in DWGATE_SOURCE_QUEUE."
  type        = string
  default     = "eventbridge.events"
}

variable "dead_letter_queue" {
  description = "ARN of a queue or topic for events that EventBridge could not deliver within a day, such as acs:mns:REGION:UID:/queues/NAME."
  type        = string
  default     = null
}

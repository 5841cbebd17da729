module example.com/shop

go 1.22

require golang.org/x/net v0.7.0

require (
	github.com/gorilla/mux v1.8.0
	golang.org/x/text v0.3.0 // indirect
	github.com/old/lib v1.0.0
	example.com/local v0.0.0
)

replace github.com/old/lib => github.com/new/lib v1.2.0

replace example.com/local => ../local
